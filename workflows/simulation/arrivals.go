package simulation

import (
	"time"

	"github.com/alur-id/alur/workflows/calendar"
)

// next schedules the arrival after another.
func (s *run) next(from int64) {
	when := s.nextArrival(from)
	s.at(when, false, func() {
		s.arrive()
		s.next(s.now)
	})
}

func (s *run) nextArrival(from int64) int64 {
	a := &s.Parameters.Arrivals
	gap := s.arrivals.ExpFloat64()
	switch {
	case a.ByHour != nil:
		return s.nextByHour(from, gap)
	case s.Parameters.Clock == AroundClock:
		return from + rounded(gap/a.PerDay*float64(24*time.Hour/grain))
	}
	return s.due(calendar.WorkingDays, from, calendar.Span(min(gap/a.PerDay, MaxDays*10)*float64(calendar.Day))+1)
}

// nextByHour goes through the hours of the week until so much is expected to have come.
func (s *run) nextByHour(from int64, left float64) int64 {
	_, offset := time.Unix(0, from).In(s.Calendar.Zone()).Zone()
	local := from + int64(offset)*int64(time.Second)
	for local < never/2 {
		h := local / int64(hour)
		rate := s.Parameters.Arrivals.ByHour[(h+4*24)%(7*24)] // the epoch was a Thursday
		rest := float64((h+1)*int64(hour)-local) / float64(hour)
		if left < rate*rest {
			return from + (local + rounded(left/rate*float64(hour/grain)) - int64(offset)*int64(time.Second) - from)
		}
		left -= rate * rest
		local = (h + 1) * int64(hour)
		if local-int64(offset)*int64(time.Second) > s.cutoff {
			break
		}
	}
	return never
}

// arrive lets a request come.
func (s *run) arrive() {
	s.jobs++
	j := &job{number: s.jobs, arrived: s.now, visits: map[int]uint64{}, clocks: make([]clock, len(s.Definition.Terms))}
	j.measured = s.now >= s.measured && s.now < s.end
	j.place = s.tree.roots[pickOne(s.draw(j, -1, forCase), s.Parameters.Cases, func(c *Case) float64 { return c.Weight })]
	if j.measured {
		s.open++
		s.seen.jobs = append(s.seen.jobs, j)
	}
	s.enter(j)
}
