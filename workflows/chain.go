package workflows

import (
	"slices"

	"github.com/alur-id/alur/domain"
)

// chains looks for what follows by itself and does not come to rest: automatic
// transitions that, taken one after the other, come back to where they began, and
// commands that lead to more events than [domain.MaxFollowing].
func (s *search) chains() {
	const (
		onTheWay = 1
		done     = 2
	)
	met := make([]uint8, len(s.points))
	events := make([]int, len(s.points)) // that follow, at most
	type step struct {
		at   int
		next []int
	}
	for i := range s.points {
		if met[i] == done {
			continue
		}
		met[i] = onTheWay
		for way := []step{{i, s.follows(i)}}; len(way) > 0; {
			last := &way[len(way)-1]
			if len(last.next) == 0 {
				met[last.at] = done
				way = way[:len(way)-1]
				if len(way) > 0 {
					s.longer(events, way[len(way)-1].at, last.at)
				}
				continue
			}
			to := last.next[0]
			last.next = last.next[1:]
			switch met[to] {
			case onTheWay:
				state := s.points[to].state
				s.tell(FindingEndless, "endless", s.node("states", int(state)), to, "automatic transitions lead from %q back to it without end", s.d.States[state].ID)
				return
			case done:
				s.longer(events, last.at, to)
			default:
				met[to] = onTheWay
				way = append(way, step{to, s.follows(to)})
			}
		}
	}
	for i, n := range events {
		if s.first[i]+n > domain.MaxFollowing {
			state := s.points[i].state
			s.tell(FindingEndless, "endless", s.node("states", int(state)), i, "what follows by itself from here on is %d events with what led here, and a command that leads to more than %d is refused: have somebody act in between", s.first[i]+n, domain.MaxFollowing)
			return
		}
	}
}

// longer notes that what follows at one point is at least what follows at the next,
// and what leads there.
func (s *search) longer(events []int, at, next int) {
	events[at] = max(events[at], s.p.events(stepTaken{kind: stepAutomatic}, &s.points[at], &s.points[next])+events[next])
}

// events is how many events a step leads to before anything moves on: itself, reviews
// that are asked for, fees that are assessed, work that is offered, notices.
func (p *prover) events(step stepTaken, before, after *point) int {
	n := 1
	entered := step.kind == stepSubmit || before.state != after.state
	corrects := step.kind == stepAction && p.d.Transitions[step.of].Kind == domain.ActionCorrect
	if corrects {
		n++
	}
	s := &p.d.States[after.state]
	for _, id := range s.Reviews {
		i := slices.Index(p.reviews, id)
		if two(after.reviews, i) == reviewOpen && (entered || two(before.reviews, i) != reviewOpen) {
			n++
		}
	}
	for i, f := range p.fees {
		assessed := entered && step.kind == stepSubmit || corrects || two(before.fees, i) == feeNone
		if assessed && two(after.fees, i) != feeNone && slices.Contains(f.DueIn, s.ID) {
			n++
		}
	}
	if !entered {
		return n
	}
	if s.Allocate != nil {
		n++
	}
	for i := range p.d.Notices {
		if slices.Contains(p.d.Notices[i].On, s.ID) {
			n++
		}
	}
	return n
}
