package workflows_test

import (
	"encoding/csv"
	"os"
	"testing"
	"time"

	"github.com/alur-id/alur/domain"
)

// Five working days by the file of holidays, and nothing of this project.
func TestAdv5cFiveWorkingDays(t *testing.T) {
	f, err := os.Open("../../shared/data/holidays_id_2020_2027.csv")
	if err != nil {
		t.Skip(err)
	}
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	t.Log(rows[0], rows[1])
	off := map[string]bool{}
	for _, r := range rows[1:] {
		for _, c := range r {
			if len(c) == 10 && c[4] == '-' {
				off[c] = true
			}
		}
	}
	for _, tenant := range []domain.TenantCode{"33.14", "64.72", "91.03"} {
		day := time.Date(2026, 1, 5, 9, 30, 0, 0, tenant.Zone())
		for ; day.Before(time.Date(2026, 11, 1, 0, 0, 0, 0, tenant.Zone())); day = day.AddDate(0, 0, 3) {
			if w := day.Weekday(); w == 0 || w == 6 || off[day.Format(time.DateOnly)] {
				continue
			}
			want := day
			for n := 0; n < 5; {
				want = want.AddDate(0, 0, 1)
				if w := want.Weekday(); w != 0 && w != 6 && !off[want.Format(time.DateOnly)] {
					n++
				}
			}
			b := newTimedBench(t, tenant)
			b.at(day.Format("2006-01-02 15:04")).submits()
			b.does("clerk", "accept", "")
			b.at(day.Format("2006-01-02 15:04"))
			got := b.r.Terms["decision"].Due.In(tenant.Zone())
			if got.Format(time.DateOnly) != want.Format(time.DateOnly) {
				t.Errorf("%s: accepted %s, due %s, and not on %s", tenant, day, got, want.Format(time.DateOnly))
			}
		}
	}
}
