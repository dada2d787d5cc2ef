package projections_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// cardRow is a row of a table that is folded by functions which a test gives.
type cardRow struct {
	Request string
	BasisID string
	Version domain.Version
	Open    bool
	WhenMet projections.Micros
}

type cards struct {
	fold     func(rows *projections.Rows[cardRow], e domain.Recorded) error
	concerns func(c *projections.Concerned, e domain.Recorded)
}

func (cards) Name() string { return "card" }
func (cards) Schema() string {
	return `CREATE TABLE card (request TEXT NOT NULL, basis_id TEXT NOT NULL, version BIGINT NOT NULL, open BIGINT NOT NULL, when_met BIGINT, PRIMARY KEY (request, basis_id))`
}

func (p cards) Apply(ctx context.Context, tx projections.Tx, events []domain.Recorded) error {
	table := projections.Table[cardRow]{Name: "card", Key: 2, Group: 1, Concerns: p.concerns, Fold: p.fold}
	if p.concerns == nil {
		table.Concerns = projections.OfRequest
	}
	return table.Apply(ctx, tx, events)
}

// What a fold does to rows of a group, renames among themselves included, is what the
// table has, wherever batches ended.
func TestRowsAreWhatTheFoldMadeOfThem(t *testing.T) {
	dir, n := t.TempDir(), 0
	names := []string{"a", "b", "c"}
	rapid.Check(t, func(r *rapid.T) {
		n++
		file := openFile(t, filepath.Join(dir, fmt.Sprint(n)))
		log, want := newLog(), map[string]cardRow{}
		steps := map[domain.Version]func(rows *projections.Rows[cardRow], key projections.Key){}
		views := newViews(t, log, file.Writer, cards{fold: func(rows *projections.Rows[cardRow], e domain.Recorded) error {
			steps[e.Version](rows, projections.Key{projections.RequestOf(e.Stream)})
			return nil
		}})
		p := newPlayed(1)
		find := func(rows *projections.Rows[cardRow], key projections.Key, name string) *cardRow {
			for row := range rows.All(key) {
				if row.BasisID == name {
					return row
				}
			}
			return nil
		}
		for v := domain.Version(1); v <= domain.Version(rapid.IntRange(1, 20).Draw(r, "events")); v++ {
			name := rapid.SampledFrom(names).Draw(r, "name")
			other := rapid.SampledFrom(names).Draw(r, "other")
			made := cardRow{Request: p.request().String(), BasisID: name, Version: v, Open: v%2 == 0, WhenMet: projections.Micros(v % 3)}
			_, there := want[name]
			switch what := rapid.IntRange(0, 2).Draw(r, "what"); {
			case what == 0 || !there: // add or change
				steps[v] = func(rows *projections.Rows[cardRow], key projections.Key) {
					if row := find(rows, key, name); row != nil {
						*row = made
					} else {
						rows.Add(made)
					}
				}
				want[name] = made
			case what == 1:
				steps[v] = func(rows *projections.Rows[cardRow], key projections.Key) { rows.Remove(key, find(rows, key, name)) }
				delete(want, name)
			default: // they change names
				steps[v] = func(rows *projections.Rows[cardRow], key projections.Key) {
					one, two := find(rows, key, name), find(rows, key, other)
					one.BasisID = other
					if two != nil && two != one {
						two.BasisID = name
					}
				}
				one, two := want[name], want[other]
				_, both := want[other]
				delete(want, name)
				one.BasisID, two.BasisID = other, name
				if both && name != other {
					want[name] = two
				}
				want[other] = one
			}
			p.next(t, log)
			if rapid.Bool().Draw(r, "batch ends") {
				if err := views.CatchUp(t.Context()); err != nil {
					r.Fatal(err)
				}
			}
		}
		if err := views.CatchUp(t.Context()); err != nil {
			r.Fatal(err)
		}
		var rows []string
		for _, row := range want {
			met := any(nil)
			if row.WhenMet != 0 {
				met = int64(row.WhenMet)
			}
			open := 0
			if row.Open {
				open = 1
			}
			rows = append(rows, fmt.Sprint([]any{row.Request, row.BasisID, row.Version, open, met}))
		}
		slices.Sort(rows)
		if d := cmp.Diff(rows, storetest.Rows(t, file.Reader, `SELECT * FROM card ORDER BY request, basis_id`)); d != "" {
			r.Fatalf("(-folded +table)\n%s", d)
		}
	})
}

// Faults of a fold name the event, and leave nothing.
func TestFaultsOfAFoldNameTheEvent(t *testing.T) {
	indigestible := errors.New("indigestible")
	for name, p := range map[string]cards{
		"an error": {fold: func(*projections.Rows[cardRow], domain.Recorded) error { return indigestible }},
		"a panic":  {fold: func(*projections.Rows[cardRow], domain.Recorded) error { panic(indigestible) }},
		"rows that were not asked for": {
			concerns: func(*projections.Concerned, domain.Recorded) {},
			fold: func(rows *projections.Rows[cardRow], e domain.Recorded) error {
				rows.One(projections.Key{projections.RequestOf(e.Stream)})
				return nil
			},
		},
	} {
		log := newLog()
		newPlayed(1).next(t, log)
		file := openFile(t, filepath.Join(t.TempDir(), "views.db"))
		err := newViews(t, log, file.Writer, p).CatchUp(t.Context())
		var fault *projections.FoldError
		if !errors.As(err, &fault) || fault.Event.Position != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// reads counts which keys are asked for.
type reads struct {
	projections.Tx

	keys []projections.Key
}

func (r *reads) Read(_ context.Context, _ *projections.Shape, keys []projections.Key, _ func([]projections.Value) error) error {
	r.keys = append(r.keys, keys...)
	return nil
}

// What begins in a batch is not asked for, whatever comes of it in the same batch.
func TestWhatIsNewIsNotRead(t *testing.T) {
	event := func(request string, v domain.Version) domain.Recorded {
		return domain.Recorded{Stream: "request-" + request, Version: v}
	}
	var tx reads
	p := cards{fold: func(*projections.Rows[cardRow], domain.Recorded) error { return nil }}
	if err := p.Apply(t.Context(), &tx, []domain.Recorded{event("new", 1), event("old", 7), event("new", 2), event("old", 8)}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]projections.Key{{"old"}}, tx.keys); d != "" {
		t.Errorf("(-want +asked for)\n%s", d)
	}
}
