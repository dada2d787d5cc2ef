package projections

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Task is a row of the inbox: the work of the state that an open request stands in, or
// a review that it waits for.
type Task struct {
	Request         uuid.UUID         `json:"request"`
	Reference       domain.Reference  `json:"reference,omitempty"` // empty while the view of requests is behind this one
	Kind            InboxKind         `json:"kind"`
	Tenant          domain.TenantCode `json:"tenant"`
	Office          string            `json:"office,omitempty"`
	Role            domain.RoleID     `json:"role,omitempty"` // empty where no published version says
	Service         string            `json:"service"`
	WorkflowVersion int               `json:"workflow_version"`
	State           domain.StateID    `json:"state"`
	Review          domain.ReviewID   `json:"review,omitempty"`
	Rule            string            `json:"rule,omitempty"`   // by which the work is given out; empty: whoever has the role may do it
	Holder          string            `json:"holder,omitempty"` // who has it, by their pseudonym
	Since           time.Time         `json:"since"`            // when the request came to the state, the work was offered, or the review asked for
	Due             time.Time         `json:"due,omitzero"`     // by the term of the state or the review
	Stopped         domain.StopGround `json:"stopped,omitempty"`
	Legal           time.Time         `json:"legal,omitzero"` // by the term of law; of several the first
	Halted          domain.StopGround `json:"halted,omitempty"`
	Awaits          []domain.ReviewID `json:"awaits,omitempty"` // of the work of a state: opinions that were asked for and not given; it is others who have to act
}

// InboxOrder is what an inbox is sorted by; what has the same comes in an order that does
// not change.
type InboxOrder string

// The orders.
const (
	ByDue   InboxOrder = "due"   // the earlier of both due times first; what has none comes last
	BySince InboxOrder = "since" // what has waited longest first
)

// InboxFilter narrows the inbox of a tenant; an empty field matches everything.
type InboxFilter struct {
	Tenant    domain.TenantCode
	Office    string
	Role      domain.RoleID
	Service   string
	State     domain.StateID
	DueBefore time.Time  // the earlier of both due times; to the microsecond
	Holder    string     // what this person has
	Free      bool       // what nobody has
	Sort      InboxOrder // empty: by due
	After     string     // continue behind a page, by what it said
	Limit     int        // most rows of a page: 1 to [MostTasks]
}

// MostTasks is how long a page of an inbox can be.
const MostTasks = 200

// ErrInbox is why an inbox cannot be shown as it was asked for. What is wrapped around it
// says more.
var ErrInbox = errors.New("the inbox cannot be shown so")

// InboxPage is a part of an inbox. Next continues behind it; empty where nothing follows.
type InboxPage struct {
	Tasks []Task `json:"tasks"`
	Next  string `json:"next,omitempty"`
}

// InboxView reads the inbox table. Whatever is asked, what it reads stands together in an
// index, in the order in which it is shown: a page costs the same however many requests
// are open. Where a filter leaves several places open, such as all roles of an office,
// the first rows of each are merged.
type InboxView struct{ db querier }

// NewInboxView returns a reader over a database that will have the table.
func NewInboxView(db *sql.DB) *InboxView { return &InboxView{db} }

// List returns a page. Whoever reads on with Next sees every row once that was there all
// the time and did not move in the order, whatever came, went or moved meanwhile.
func (v *InboxView) List(ctx context.Context, f InboxFilter) (InboxPage, error) {
	page := InboxPage{Tasks: []Task{}}
	q, err := f.question()
	if err != nil {
		return page, err
	}
	if err := v.places(ctx, q); err != nil {
		return page, fmt.Errorf("read inbox: %w", err)
	}
	if len(q.arms) == 0 {
		return page, nil
	}
	rows, err := v.db.QueryContext(ctx, q.text(f.Limit+1), q.args...)
	if err != nil {
		return page, fmt.Errorf("read inbox: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		t, key, err := scanTask(rows)
		if err != nil {
			return page, fmt.Errorf("read inbox: %w", err)
		}
		if len(page.Tasks) == f.Limit { // there is one more
			last := page.Tasks[f.Limit-1]
			page.Next = cursor{q.sort, q.last, last.Request.String(), string(last.Review)}.String()
			break
		}
		page.Tasks, q.last = append(page.Tasks, t), key
	}
	if err := rows.Err(); err != nil {
		return page, fmt.Errorf("read inbox: %w", err)
	}
	return page, nil
}

// question is a page as it is asked for: rows that stand together in an index are an arm.
type question struct {
	f    InboxFilter
	sort InboxOrder
	key  string // the column that is sorted by
	last int64  // of the last row that was read
	args []any
	from string // the condition that continues behind a page
	arms []string
}

func (f *InboxFilter) question() (*question, error) {
	q := &question{f: *f, sort: f.Sort, key: "first"}
	switch {
	case f.Tenant == "":
		return nil, fmt.Errorf("%w: it is that of a tenant", ErrInbox)
	case f.State != "" && f.Service == "":
		return nil, fmt.Errorf("%w: a state is one of a service, so name that too", ErrInbox)
	case f.Free && f.Holder != "":
		return nil, fmt.Errorf("%w: what somebody has is not what nobody has", ErrInbox)
	case f.Limit < 1 || f.Limit > MostTasks:
		return nil, fmt.Errorf("%w: a page has 1 to %d rows, not %d", ErrInbox, MostTasks, f.Limit)
	case f.Sort == BySince && !f.DueBefore.IsZero():
		return nil, fmt.Errorf("%w: what is due before a moment comes in the order in which it is due", ErrInbox)
	case f.Sort == BySince:
		q.key = "since"
	case f.Sort == "":
		q.sort = ByDue
	case f.Sort != ByDue:
		return nil, fmt.Errorf("%w: it is sorted by due or by since, not by %q", ErrInbox, f.Sort)
	}
	q.arg(string(f.Tenant))
	if f.After != "" {
		c, err := readCursor(f.After)
		if err != nil || c.sort != q.sort {
			return nil, fmt.Errorf("%w: this is not where a page of it ended", ErrInbox)
		}
		q.from = fmt.Sprintf(" AND (%s, request, review) > (%s, %s, %s)", q.key, q.arg(c.key), q.arg(c.request), q.arg(c.review))
	}
	if !f.DueBefore.IsZero() {
		q.from += " AND first < " + q.arg(f.DueBefore.UnixMicro())
	}
	return q, nil
}

func (q *question) arg(value any) string {
	q.args = append(q.args, value)
	return "$" + strconv.Itoa(len(q.args))
}

// arm adds the rows that a condition picks which an index has in order, that of a column.
// What somebody has stands together there; else what is taken stands apart.
func (q *question) arm(column, where string) {
	apart := []string{" AND taken = 0", " AND taken = 1"}
	switch {
	case q.f.Holder != "":
		apart = []string{""}
	case q.f.Free:
		apart = apart[:1]
	}
	for _, taken := range apart {
		q.arms = append(q.arms, fmt.Sprintf(" AND %s <> ''%s%s%s ORDER BY %s, request, review", column, taken, where, q.from, q.key))
	}
}

// places looks up where the rows stand that a filter lets through.
func (v *InboxView) places(ctx context.Context, q *question) error {
	f := &q.f
	switch {
	case f.Holder != "" && f.Office == "" && f.Role == "" && f.Service == "":
		q.arm("holder", " AND claimant = "+q.arg(claimant(f.Holder)))
	case f.Holder != "":
		has := " AND claimant = " + q.arg(claimant(f.Holder))
		places, err := v.distinct(ctx, "claimant", "place", " AND claimant = $2", string(f.Tenant), claimant(f.Holder))
		if err != nil {
			return err
		}
		for _, place := range places {
			if service, _, _, _ := splitPlace(place); f.at(place) && (f.Service == "" || f.Service == service) {
				q.arm("claimant", has+" AND place = "+q.arg(place))
			}
		}
	case f.Service != "":
		service := q.arg(f.Service)
		places, err := v.distinct(ctx, "place", "place", " AND service = $2", string(f.Tenant), f.Service)
		if err != nil {
			return err
		}
		for _, place := range places {
			if f.at(place) {
				q.arm("place", " AND service = "+service+" AND place = "+q.arg(place))
			}
		}
	case f.Office != "" && f.Role != "":
		q.arm("desk", " AND desk = "+q.arg(f.Office+"/"+string(f.Role)))
	case f.Office != "" || f.Role != "":
		desks, err := v.distinct(ctx, "desk", "desk", "", string(f.Tenant))
		if err != nil {
			return err
		}
		for _, desk := range desks {
			if f.at("//" + desk) {
				q.arm("desk", " AND desk = "+q.arg(desk))
			}
		}
	default:
		q.arm("tenant", "")
	}
	return nil
}

// at reports whether a filter lets through what stands at a place.
func (f *InboxFilter) at(place string) bool {
	_, state, office, role := splitPlace(place)
	return (f.State == "" || f.State == state) && (f.Office == "" || f.Office == office) && (f.Role == "" || f.Role == role)
}

// distinct lists what a column holds, by as many steps in an index as there are values:
// that of another column, or its own.
func (v *InboxView) distinct(ctx context.Context, index, column, where string, args ...any) ([]string, error) {
	where = `FROM inbox WHERE kind <> 'wait' AND ` + index + ` <> '' AND tenant = $1` + where
	rows, err := v.db.QueryContext(ctx, `WITH RECURSIVE seen(x) AS (
		SELECT MIN(`+column+`) `+where+`
		UNION ALL SELECT (SELECT MIN(`+column+`) `+where+` AND `+column+` > seen.x) FROM seen WHERE seen.x IS NOT NULL)
		SELECT x FROM seen WHERE x IS NOT NULL`, args...)
	return texts[string](rows, err, "where there is work")
}

const taskColumns = `inbox.request, (SELECT reference FROM status WHERE status.request = inbox.request), kind, tenant, place, workflow_version, inbox.review,
	rule, holder, since, due, stopped, legal, halted,
	(SELECT string_agg(asked.review, '/') FROM inbox AS asked WHERE inbox.review = '' AND asked.request = inbox.request AND asked.review <> '')`

// mostArms is how many arms are merged at once: SQLite takes 500, and the time in which
// PostgreSQL plans them grows with the square.
const mostArms = 40

// text is the statement: the rows are picked by an index alone, and only those of the
// page are read.
func (q *question) text(limit int) string {
	var arms []string
	for i, arm := range q.arms {
		arms = append(arms, fmt.Sprintf(`SELECT * FROM (SELECT request, review, %s AS k FROM inbox WHERE kind <> 'wait' AND tenant = $1%s LIMIT %d) AS arm%d`, q.key, arm, limit, i))
	}
	merged := func(arms []string, name string) string {
		return fmt.Sprintf(`(SELECT * FROM (%s) AS arms ORDER BY k, request, review LIMIT %d) AS %s`, strings.Join(arms, " UNION ALL "), limit, name)
	}
	for len(arms) > mostArms {
		var fewer []string
		for some := range slices.Chunk(arms, mostArms) {
			fewer = append(fewer, `SELECT * FROM `+merged(some, fmt.Sprint("some", len(fewer))))
		}
		arms = fewer
	}
	return `SELECT ` + taskColumns + `, k FROM ` + merged(arms, "page") + `
		JOIN inbox ON inbox.request = page.request AND inbox.review = page.review ORDER BY k, page.request, page.review`
}

func scanTask(rows *sql.Rows) (Task, int64, error) {
	var t Task
	var reference, awaits sql.NullString
	var place string
	var since, due, legal Micros
	var key int64
	err := rows.Scan(&t.Request, &reference, &t.Kind, &t.Tenant, &place, &t.WorkflowVersion, &t.Review, &t.Rule, &t.Holder, &since, &due, &t.Stopped, &legal, &t.Halted, &awaits, &key)
	t.Service, t.State, t.Office, t.Role = splitPlace(place)
	t.Reference, t.Since, t.Due, t.Legal = domain.Reference(reference.String), since.Time(), due.Time(), legal.Time()
	if awaits.Valid {
		for review := range strings.SplitSeq(awaits.String, "/") { // no name has a slash in it
			t.Awaits = append(t.Awaits, domain.ReviewID(review))
		}
		slices.Sort(t.Awaits)
	}
	return t, key, err
}

// cursor is behind which row a page continues.
type cursor struct {
	sort    InboxOrder
	key     int64
	request string
	review  string
}

func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d %s %s", c.sort, c.key, c.request, c.review))
}

func readCursor(text string) (c cursor, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.Split(string(raw), " ")
	if err != nil || len(parts) != 4 {
		return c, errors.New("not a cursor")
	}
	c.sort, c.request, c.review = InboxOrder(parts[0]), parts[2], parts[3]
	if _, err := uuid.Parse(c.request); err != nil {
		return c, err
	}
	c.key, err = strconv.ParseInt(parts[1], 10, 64)
	return c, err
}

// InboxCount is how much work there is at a place.
type InboxCount struct {
	Office  string         `json:"office,omitempty"`
	Role    domain.RoleID  `json:"role,omitempty"`
	Service string         `json:"service"`
	State   domain.StateID `json:"state"`
	Tasks   int            `json:"tasks"`
	Free    int            `json:"free"`   // that nobody has
	Late    int            `json:"late"`   // of which a due time has passed
	Awaits  int            `json:"awaits"` // in which opinions are waited for, that are tasks of others
}

// Count counts what a filter lets through, in the order of service, state, office and
// role. It reads the whole inbox of the tenant, or of the service, in an index. Sort, After
// and Limit say nothing here.
func (v *InboxView) Count(ctx context.Context, f InboxFilter, now time.Time) ([]InboxCount, error) {
	f.Sort, f.After, f.Limit = "", "", 1
	q, err := f.question()
	if err != nil {
		return nil, err
	}
	where := q.from
	if f.Service != "" {
		where += " AND service = " + q.arg(f.Service)
	}
	if f.Holder != "" {
		where += " AND claimant <> '' AND claimant = " + q.arg(claimant(f.Holder))
	} else {
		where += " AND place <> ''"
	}
	if f.Free {
		where += " AND taken = 0"
	}
	rows, err := v.db.QueryContext(ctx, `SELECT place, COUNT(*), SUM(1 - taken), SUM(CASE WHEN first < `+q.arg(now.UnixMicro())+` THEN 1 ELSE 0 END),
		SUM(CASE WHEN review = '' AND EXISTS (SELECT 1 FROM inbox AS asked WHERE asked.request = inbox.request AND asked.review <> '') THEN 1 ELSE 0 END)
		FROM inbox WHERE kind <> 'wait' AND tenant = $1`+where+` GROUP BY service, place`, q.args...)
	if err != nil {
		return nil, fmt.Errorf("count inbox: %w", err)
	}
	defer rows.Close()
	counts := []InboxCount{}
	for rows.Next() {
		var c InboxCount
		var place string
		if err := rows.Scan(&place, &c.Tasks, &c.Free, &c.Late, &c.Awaits); err != nil {
			return nil, fmt.Errorf("count inbox: %w", err)
		}
		c.Service, c.State, c.Office, c.Role = splitPlace(place)
		if f.at(place) {
			counts = append(counts, c)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count inbox: %w", err)
	}
	slices.SortFunc(counts, func(a, b InboxCount) int {
		return strings.Compare(a.Service+"/"+string(a.State)+"/"+a.Office+"/"+string(a.Role), b.Service+"/"+string(b.State)+"/"+b.Office+"/"+string(b.Role))
	})
	return counts, nil
}
