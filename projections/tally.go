package projections

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/alur-id/alur/domain"
)

// StatisticsBy is what statistics are told for each of.
type StatisticsBy string

// The ways to tell them apart. An agency is that of the newest version of a service's
// workflow; a month is one in the tenant's zone.
const (
	ByService StatisticsBy = "service"
	ByAgency  StatisticsBy = "agency"
	ByTenant  StatisticsBy = "tenant"
	ByMonth   StatisticsBy = "month"
)

// StatisticsFilter says which requests are counted; an empty field matches everything.
// What was submitted counts by when it was submitted, what was decided by when it was
// decided.
type StatisticsFilter struct {
	By      StatisticsBy // empty: service
	Tenant  domain.TenantCode
	Service string
	Since   time.Time
	Until   time.Time // not including
}

// Statistics are the figures of one service, agency, tenant or month.
type Statistics struct {
	Tenant  domain.TenantCode `json:"tenant,omitempty"`
	Service string            `json:"service,omitempty"`
	Agency  string            `json:"agency,omitempty"`
	Month   string            `json:"month,omitempty" doc:"such as 2026-11"`

	Submitted int `json:"submitted" doc:"in the period"`
	Open      int `json:"open" doc:"of those: not ended yet"`
	Unended   int `json:"unended" doc:"of the open: imported cases that are not known to have ended, and with which nothing was done here"`
	Resting   int `json:"resting" doc:"of these: the last that was done is what the workflow calls an end; nobody can act on them here"`
	Overdue   int `json:"overdue" doc:"of the open: a term of law has run out"`

	Decided        int     `json:"decided" doc:"in the period, by whenever they were submitted; neither withdrawn nor lapsed"`
	Supposed       int     `json:"supposed" doc:"of the decided: imported cases of which no record says when they end; the last that was done is what the workflow calls an end"`
	Approved       int     `json:"approved" doc:"of the decided, as they stand now; and so the next"`
	Rejected       int     `json:"rejected"`
	DeemedApproved int     `json:"deemed_approved" doc:"of the decided: the law decided, because nobody did"`
	DeemedRefused  int     `json:"deemed_refused"`
	OnTime         int     `json:"on_time" doc:"of the decided, by the terms of law; what has none is neither"`
	Late           int     `json:"late"`
	Returned       int     `json:"returned" doc:"of the decided: sent back to the applicant at least once"`
	ReturnRate     float64 `json:"return_rate" doc:"returned for each that was decided, 0 to 1; 0 where none was"`
	Returns        int     `json:"returns" doc:"of the decided: how often they were sent back"`
	Withdrawn      int     `json:"withdrawn" doc:"in the period"`
	Lapsed         int     `json:"lapsed" doc:"in the period: the applicant's own time ran out"`

	Reasons   map[domain.ReasonCode]int `json:"reasons,omitempty" doc:"of the returns that have one"`
	Elapsed   *Spread                   `json:"elapsed,omitempty" doc:"from submission to decision, in days of 24 hours"`
	Working   *Spread                   `json:"working,omitempty" doc:"the same in working days, by the tenant's calendar as it is known now"`
	Held      map[domain.Holder]Spread  `json:"held,omitempty" doc:"of that, in working days: in whose hands"`
	Others    *Spread                   `json:"others,omitempty" doc:"the same: neither the agency's nor the applicant's, that is reviewers', other agencies' and nobody's together; as a request's page tells it"`
	Uncounted int                       `json:"uncounted" doc:"of the decided: the calendar does not reach as far, and they are in neither working nor held"`
}

// Spread is how long something took, by nearest rank: half of all took no longer than
// the median, nine in ten no longer than p90.
type Spread struct {
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
	Total  float64 `json:"total"`
}

// WorkingDays tells how many working days of a tenant lie between two moments; false
// where its calendar does not reach.
type WorkingDays func(ctx context.Context, tenant domain.TenantCode) (func(from, to time.Time) (float64, bool), error)

// AgencyOf tells which agency answers for a service.
type AgencyOf func(ctx context.Context, tenant domain.TenantCode, service string) (string, error)

// StatisticsView reckons statistics from the tables of statistics and terms. It reads all
// rows of the tenants and services that are asked for.
type StatisticsView struct {
	db      *sql.DB
	working WorkingDays
	agency  AgencyOf
}

// NewStatisticsView returns a reader over a database that will have the tables.
func NewStatisticsView(db *sql.DB, working WorkingDays, agency AgencyOf) *StatisticsView {
	return &StatisticsView{db, working, agency}
}

// StatisticsViews are the views that statistics are read from.
func StatisticsViews() []string {
	return []string{StatisticsProjection{}.Name(), TermsProjection{}.Name()}
}

// Of tells the figures of each service, agency, tenant or month that has any.
func (v *StatisticsView) Of(ctx context.Context, f StatisticsFilter) ([]Statistics, error) {
	rows, err := v.db.QueryContext(ctx, `SELECT `+statisticsTable.Columns()+`, `+overdue+` FROM statistics
		WHERE ($1 = '' OR tenant = $1) AND ($2 = '' OR service = $2) AND (CAST($3 AS BIGINT) = 0 OR ended >= $3 OR submitted >= $3)
		AND (CAST($4 AS BIGINT) = 0 OR submitted < $4 OR (ended <> 0 AND ended < $4))`,
		f.Tenant, f.Service, before(f.Since), before(f.Until))
	if err != nil {
		return nil, fmt.Errorf("read statistics: %w", err)
	}
	defer rows.Close()
	t := tally{view: v, filter: f, groups: map[heading]*tallied{}, tenants: map[domain.TenantCode]func(from, to time.Time) (float64, bool){}, agencies: map[[2]string]string{}}
	for rows.Next() {
		var kept domain.Punctuality
		row, err := statisticsTable.Scan(also{rows, &kept})
		if err == nil {
			err = t.add(ctx, &row, kept)
		}
		if err != nil {
			return nil, fmt.Errorf("read statistics: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read statistics: %w", err)
	}
	return t.list(), nil
}

// also scans one column more than those of a table.
type also struct {
	rows *sql.Rows
	last any
}

func (a also) Scan(to ...any) error { return a.rows.Scan(append(to, a.last)...) }

// tally counts rows.
type tally struct {
	view     *StatisticsView
	filter   StatisticsFilter
	groups   map[heading]*tallied
	tenants  map[domain.TenantCode]func(from, to time.Time) (float64, bool)
	agencies map[[2]string]string
}

// heading is what figures are of.
type heading struct {
	tenant                 domain.TenantCode
	service, agency, month string
}

// tallied are figures before they are made short.
type tallied struct {
	Statistics

	elapsed, working, others []float64
	held                     map[domain.Holder][]float64
}

// of are the figures among which a request counts for what happened to it at a moment.
func (t *tally) of(ctx context.Context, row *statisticsRow, at time.Time) (*tallied, error) {
	h := heading{tenant: row.Tenant}
	switch t.filter.By {
	case ByTenant:
	case ByMonth:
		h = heading{month: at.In(row.Tenant.Zone()).Format("2006-01")}
	case ByAgency:
		key := [2]string{string(row.Tenant), row.Service}
		agency, ok := t.agencies[key]
		if !ok {
			var err error
			if agency, err = t.view.agency(ctx, row.Tenant, row.Service); err != nil {
				return nil, err
			}
			t.agencies[key] = agency
		}
		h.agency = agency
	default:
		h.service = row.Service
	}
	g, ok := t.groups[h]
	if !ok {
		g = &tallied{Statistics: Statistics{Tenant: h.tenant, Service: h.service, Agency: h.agency, Month: h.month}, held: map[domain.Holder][]float64{}}
		t.groups[h] = g
	}
	return g, nil
}

func (t *tally) add(ctx context.Context, row *statisticsRow, kept domain.Punctuality) error {
	if t.within(row.Submitted.Time()) {
		g, err := t.of(ctx, row, row.Submitted.Time())
		if err != nil {
			return err
		}
		g.Submitted++
		if row.Ended == 0 {
			g.Open++
			g.Unended += flag(row.Source != "")
			g.Resting += flag(row.Source != "" && row.Outcome != "")
		}
		if row.Ended == 0 && kept == "overdue" {
			g.Overdue++
		}
	}
	if row.Ended == 0 || !t.within(row.Ended.Time()) {
		return nil
	}
	g, err := t.of(ctx, row, row.Ended.Time())
	if err != nil {
		return err
	}
	switch {
	case row.Deemed == domain.Lapse:
		g.Lapsed++
		return nil
	case row.Outcome == domain.OutcomeWithdrawn:
		g.Withdrawn++
		return nil
	}
	g.decided(row, kept)
	working, ok := t.tenants[row.Tenant]
	if !ok {
		if working, err = t.view.working(ctx, row.Tenant); err != nil {
			return err
		}
		t.tenants[row.Tenant] = working
	}
	g.took(row, working)
	return nil
}

func (t *tally) within(at time.Time) bool {
	return !at.Before(t.filter.Since) && (t.filter.Until.IsZero() || at.Before(t.filter.Until))
}

// decided counts a decision.
func (g *tallied) decided(row *statisticsRow, kept domain.Punctuality) {
	g.Decided++
	g.Supposed += flag(row.Source == sourceHistory)
	add := func(to *int, is bool) { *to += flag(is) }
	add(&g.Approved, row.Outcome == domain.OutcomeApproved)
	add(&g.Rejected, row.Outcome == domain.OutcomeRejected)
	add(&g.DeemedApproved, row.Deemed == domain.DeemedApproval)
	add(&g.DeemedRefused, row.Deemed == domain.DeemedRefusal)
	if kept == "" {
		kept = domain.Imported{Due: row.RecordDue.Time(), Ended: row.RecordEnded.Time()}.Punctuality()
	}
	add(&g.OnTime, kept == domain.PunctualityOnTime)
	add(&g.Late, kept == domain.PunctualityLate)
	if row.Returns == 0 {
		return
	}
	g.Returned++
	g.Returns += row.Returns
	if row.Reasons == "" {
		return
	}
	for reason := range strings.SplitSeq(row.Reasons, "\n") {
		if g.Reasons == nil {
			g.Reasons = map[domain.ReasonCode]int{}
		}
		g.Reasons[domain.ReasonCode(reason)]++
	}
}

// took counts how long a decision took.
func (g *tallied) took(row *statisticsRow, working func(from, to time.Time) (float64, bool)) {
	from, to := row.Submitted.Time(), max(row.Submitted, row.Ended).Time()
	g.elapsed = append(g.elapsed, to.Sub(from).Hours()/24)
	whole, ok := working(from, to)
	if !ok {
		g.Uncounted++
		return
	}
	g.working = append(g.working, whole)
	var held [5]float64
	for _, s := range row.spans() {
		days, _ := working(s.from, s.to)
		held[slices.Index(domain.Holders(), s.by)] += days
	}
	others := 0.0
	for i, by := range domain.Holders() {
		g.held[by] = append(g.held[by], held[i])
		if by != domain.HeldByAgency && by != domain.HeldByApplicant {
			others += held[i]
		}
	}
	g.others = append(g.others, others)
}

// list is the figures in the order of what they are of.
func (t *tally) list() []Statistics {
	list := []Statistics{}
	for _, h := range slices.SortedFunc(maps.Keys(t.groups), func(a, b heading) int {
		return cmp.Or(cmp.Compare(a.month, b.month), cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.service, b.service), cmp.Compare(a.agency, b.agency))
	}) {
		g := t.groups[h]
		g.ReturnRate = float64(g.Returned) / float64(max(g.Decided, 1))
		g.Elapsed, g.Working, g.Others = spread(g.elapsed), spread(g.working), spread(g.others)
		for by, list := range g.held {
			if g.Held == nil {
				g.Held = map[domain.Holder]Spread{}
			}
			g.Held[by] = *spread(list)
		}
		list = append(list, g.Statistics)
	}
	return list
}

// spread sorts the list; there is none of nothing.
func spread(list []float64) *Spread {
	if len(list) == 0 {
		return nil
	}
	slices.Sort(list)
	s := &Spread{Median: rank(list, 0.5), P90: rank(list, 0.9)}
	for _, x := range list {
		s.Total += x
	}
	return s
}

// rank is the least of a sorted list that a share of it does not exceed.
func rank(list []float64, share float64) float64 {
	return list[max(1, int(math.Ceil(share*float64(len(list)))))-1]
}
