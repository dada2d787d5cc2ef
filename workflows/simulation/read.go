package simulation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// Language is the version of the form of parameters that this program reads.
const Language = 1

// Read reads a file of parameters for a definition strictly. The error is
// [workflows.Problems]: all of them, each with its place.
func Read(file string, source []byte, d *workflows.Definition) (*Parameters, error) {
	r := &reader{d: d, p: &Parameters{
		Stages: map[domain.StateID]Stage{}, Reviews: map[domain.ReviewID]ReviewWork{}, Systems: map[domain.SystemID]SystemWork{},
	}}
	if err := workflows.ReadSheet(file, "file of parameters", source, r.read); err != nil {
		return nil, err
	}
	return r.p, nil
}

type node = workflows.SheetNode

type reader struct {
	*workflows.Sheet
	d *workflows.Definition
	p *Parameters
}

func (r *reader) read(s *workflows.Sheet, n node) {
	r.Sheet = s
	r.Mapping(n, "the file", []string{"simulation"}, map[string]func(node){
		"simulation": func(n node) {
			if v := r.Whole(n, "simulation"); v != Language && v != 0 {
				r.Problem(n, "simulation: form %d is not known to this program; it reads %d", v, Language)
			}
		},
		"clock": func(n node) {
			r.p.Clock = Clock(r.Text(n, "clock"))
			if r.p.Clock != OfficeHours && r.p.Clock != AroundClock {
				r.Problem(n, "clock: %q is not one of office, wall", r.p.Clock)
			}
		},
		"promise": func(n node) {
			b, err := calendar.ParseBudget(r.Text(n, "promise"))
			if err != nil {
				r.Problem(n, "promise: %v", err)
				return
			}
			r.p.Promise = &b
			r.p.note(Given, "promise", b.String(), 0)
		},
		"arrivals": r.arrivals,
		"officers": r.officers,
		"pools":    r.pools,
		"stages":   r.stages,
		"reviews":  r.reviews,
		"systems":  r.systems,
		"cases":    r.cases,
	})
}

func (r *reader) arrivals(n node) {
	a := &r.p.Arrivals
	wrong := false // told at its place
	r.Mapping(n, "arrivals", nil, map[string]func(node){
		"per_day": func(n node) {
			before := r.Problems()
			a.PerDay = r.positive(n, "arrivals per_day")
			wrong = r.Problems() > before
		},
		"by_hour": func(n node) {
			a.ByHour = new([7 * 24]float64)
			days := map[string]func(node){}
			for day := time.Sunday; day <= time.Saturday; day++ {
				name := strings.ToLower(day.String())
				days[name] = func(n node) { r.hours(n, name, a.ByHour[24*int(day):][:24]) }
			}
			r.Mapping(n, "arrivals by_hour", nil, days)
		},
	})
	if (a.PerDay > 0) == (a.ByHour != nil) && !wrong {
		r.Problem(n, "arrivals: say either per_day, more than 0, or by_hour")
	}
	if a.ByHour != nil && slices.Max(a.ByHour[:]) == 0 {
		r.Problem(n, "arrivals: nobody comes in any hour")
	}
	r.p.note(Given, "arrivals", a.String(), 0)
}

func (r *reader) hours(n node, day string, into []float64) {
	keys := map[string]func(node){}
	for h := range into {
		keys[fmt.Sprint(h)] = func(n node) { into[h] = r.positive(n, fmt.Sprintf("arrivals on %s at %d", day, h)) }
	}
	r.Mapping(n, "arrivals on "+day, nil, keys)
}

// String is the arrivals in words.
func (a Arrivals) String() string {
	if a.ByHour == nil {
		return fmt.Sprintf("%s a day", figure(a.PerDay))
	}
	sum := 0.0
	for _, x := range a.ByHour {
		sum += x
	}
	return fmt.Sprintf("%s a week, by the hour of the week", figure(sum))
}

func (r *reader) positive(n node, what string) float64 {
	x := r.Number(n, what)
	if x < 0 || x > 1e9 {
		r.Problem(n, "%s: %v is not between 0 and a thousand million", what, x)
		return 0
	}
	return x
}

const maxOfficers = 10_000

func (r *reader) number(n node, what string) int {
	x := r.Whole(n, what)
	if x < 1 || x > maxOfficers {
		r.Problem(n, "%s: %d is not between 1 and %d", what, x, maxOfficers)
		return 1
	}
	return x
}

func (r *reader) officers(n node) {
	keys := map[string]func(node){}
	for _, role := range Staff(r.d) {
		keys[string(role)] = func(n node) {
			number := r.number(n, "officers "+string(role))
			r.add(n, Pool{Name: string(role), Roles: []domain.RoleID{role}, Officers: number})
		}
	}
	r.Mapping(n, "officers", nil, keys)
}

func (r *reader) pools(n node) {
	for _, n := range r.List(n, "pools") {
		var p Pool
		r.Mapping(n, "a pool", []string{"name", "roles", "officers"}, map[string]func(node){
			"name": func(n node) { p.Name = r.Text(n, "pool name") },
			"roles": func(n node) {
				for _, n := range r.List(n, "pool roles") {
					role := domain.RoleID(r.Text(n, "pool role"))
					if !slices.Contains(Staff(r.d), role) {
						r.Problem(n, "pool role: %q is not one of %s", role, domain.Listed(Staff(r.d)))
					}
					p.Roles = append(p.Roles, role)
				}
			},
			"officers": func(n node) { p.Officers = r.number(n, "pool officers") },
		})
		r.add(n, p)
	}
}

func (r *reader) add(n node, p Pool) {
	for _, role := range p.Roles {
		if r.p.pool(role) >= 0 {
			r.Problem(n, "role %q has officers already: name it once, under officers or in one pool", role)
		}
	}
	if slices.ContainsFunc(r.p.Pools, func(x Pool) bool { return x.Name == p.Name }) {
		r.Problem(n, "there are two pools of the name %q", p.Name)
	}
	r.p.Pools = append(r.p.Pools, p)
	r.p.note(Given, "officers "+p.Name, fmt.Sprint(p.Officers), 0)
}

func (r *reader) stages(n node) {
	keys := map[string]func(node){}
	for i := range r.d.States {
		state := &r.d.States[i]
		keys[string(state.ID)] = func(n node) {
			var s Stage
			what := "stage " + string(state.ID)
			r.Mapping(n, what, nil, map[string]func(node){
				"service": func(n node) { s.Service = r.duration(n, what+" service") },
				"choices": func(n node) { s.Choices = r.choices(n, what, state.ID) },
			})
			r.p.Stages[state.ID] = s
		}
	}
	r.Mapping(n, "stages", nil, keys)
}

func (r *reader) choices(n node, what string, from domain.StateID) map[domain.ActionID]float64 {
	weights := map[domain.ActionID]float64{}
	keys := map[string]func(node){}
	for _, a := range leaving(r.d, from) {
		keys[string(a)] = func(n node) { weights[a] = r.positive(n, what+" choice "+string(a)) }
	}
	r.Mapping(n, what+" choices", nil, keys)
	r.p.note(Given, what+" choices", weightsText(weights), 0)
	return weights
}

func (r *reader) reviews(n node) {
	keys := map[string]func(node){}
	for i := range r.d.Reviews {
		id := r.d.Reviews[i].ID
		keys[string(id)] = func(n node) {
			var x ReviewWork
			what := "review " + string(id)
			r.Mapping(n, what, nil, map[string]func(node){
				"service": func(n node) { x.Service = r.duration(n, what+" service") },
				"refused": func(n node) {
					x.Refused = share(r.positive(n, what+" refused"))
					if *x.Refused > 1 {
						r.Problem(n, "%s refused: a share is between 0 and 1", what)
					}
					r.p.note(Given, what+" refused", figure(*x.Refused), 0)
				},
			})
			r.p.Reviews[id] = x
		}
	}
	r.Mapping(n, "reviews", nil, keys)
}

func (r *reader) systems(n node) {
	keys := map[string]func(node){}
	for i := range r.d.Systems {
		system := &r.d.Systems[i]
		keys[string(system.ID)] = func(n node) {
			var x SystemWork
			what := "system " + string(system.ID)
			r.Mapping(n, what, nil, map[string]func(node){
				"answer": func(n node) { x.Answer = r.duration(n, what+" answer") },
				"outcomes": func(n node) {
					x.Outcomes = map[string]float64{}
					words := map[string]func(node){}
					for _, o := range system.Outcomes {
						words[o] = func(n node) { x.Outcomes[o] = r.positive(n, what+" outcome "+o) }
					}
					r.Mapping(n, what+" outcomes", nil, words)
					r.p.note(Given, what+" outcomes", weightsText(x.Outcomes), 0)
				},
			})
			r.p.Systems[system.ID] = x
		}
	}
	r.Mapping(n, "systems", nil, keys)
}

func (r *reader) cases(n node) {
	for _, n := range r.List(n, "cases") {
		c := Case{Weight: 1}
		r.Mapping(n, "a case", nil, map[string]func(node){
			"weight": func(n node) { c.Weight = r.positive(n, "case weight") },
			"facts":  func(n node) { c.Facts = workflows.FactsOf(r.Object(n, "case facts")) },
			"form":   func(n node) { c.Form = domain.Personal(r.Object(n, "case form")) },
		})
		r.p.Cases = append(r.p.Cases, c)
	}
	r.p.note(Given, "cases", fmt.Sprintf("%d kinds", len(r.p.Cases)), 0)
}

// duration reads a distribution, such as {lognormal: 40 minutes, spread: 0.8}.
func (r *reader) duration(n node, what string) *Duration {
	d := &Duration{Spread: 1}
	spread := false
	keys := map[string]func(node){
		"spread": func(n node) {
			spread = true
			if d.Spread = r.positive(n, what+" spread"); d.Spread < 0.01 || d.Spread > 100 {
				r.Problem(n, "%s spread: want the standard deviation over the mean, between 0.01 and 100", what)
			}
		},
		string(Empirical): func(n node) {
			r.shaped(n, what, d, Empirical)
			var values []time.Duration
			for _, n := range r.List(n, what) {
				values = append(values, r.span(n, what))
			}
			if len(values) > 0 {
				slices.Sort(values)
				*d = *empirical(values)
			}
		},
	}
	for _, s := range []Shape{Fixed, Exponential, Lognormal, Gamma} {
		keys[string(s)] = func(n node) {
			r.shaped(n, what, d, s)
			d.Mean = r.span(n, what)
		}
	}
	r.Mapping(n, what, nil, keys)
	switch {
	case d.Shape == "":
		r.Problem(n, "%s: say one of fixed, exponential, lognormal, gamma, empirical, such as {exponential: 20 minutes}", what)
	case spread && d.Shape != Lognormal && d.Shape != Gamma:
		r.Problem(n, "%s: only lognormal and gamma have a spread", what)
	}
	r.p.note(Given, what, d.String(), 0)
	return d
}

func (r *reader) shaped(n node, what string, d *Duration, s Shape) {
	if d.Shape != "" {
		r.Problem(n, "%s: it is %s already", what, d.Shape)
	}
	d.Shape = s
}

func (r *reader) span(n node, what string) time.Duration {
	s := r.Text(n, what)
	b, err := calendar.ParseBudget(s)
	switch {
	case s == "":
	case err != nil:
		r.Problem(n, "%s: %v", what, err)
	case b.Working:
		r.Problem(n, "%s: leave working out: an officer's time is working time by itself, any other that of the clock on the wall", what)
	default:
		return roughly(b)
	}
	return time.Minute
}
