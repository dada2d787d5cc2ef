package workflows

import (
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"

	"github.com/alur-id/alur/workflows/calendar"
)

// DecreeLanguage is the version of the form of decrees that this program reads.
const DecreeLanguage = 1

// ReadDecree reads a decree on working time strictly. The error is [Problems]: all of
// them, each with its place. File is only used to name that place.
func ReadDecree(file string, source []byte) (*calendar.Decree, error) {
	y, source, err := newYAMLReader(file, "decree", source)
	if err != nil {
		return nil, err
	}
	r := &decreeReader{yamlReader: y, seen: map[calendar.Date]bool{}}
	if root := r.parse(source); root != nil {
		r.decree(root)
		if err := r.d.Check(); err != nil && len(r.problems) == 0 {
			r.problem(root, "%v", err)
		}
	}
	if err := r.told(); err != nil {
		return nil, err
	}
	return &r.d, nil
}

type decreeReader struct {
	yamlReader
	d    calendar.Decree
	seen map[calendar.Date]bool
}

func (r *decreeReader) decree(n ast.Node) {
	d := &r.d
	r.mapping(n, "the decree", []string{"decree", "number", "title", "source", "published"}, map[string]func(ast.Node){
		"decree": func(n ast.Node) {
			if v := r.integer(n, "decree"); v != DecreeLanguage && v != 0 {
				r.problem(n, "decree: form %d is not known to this program; it reads %d", v, DecreeLanguage)
			}
		},
		"number":    func(n ast.Node) { d.Number = r.text(n, "number") },
		"title":     func(n ast.Node) { d.Title = r.both(n, "title") },
		"source":    func(n ast.Node) { d.Source = r.text(n, "source") },
		"published": func(n ast.Node) { d.Published = r.date(n, "published") },
		"amends":    func(n ast.Node) { d.Amends = readEach(r, n, "amends", r.text) },
		"repeals":   func(n ast.Node) { d.Repeals = readEach(r, n, "repeals", r.text) },
		"covers":    func(n ast.Node) { d.Covers = readEach(r, n, "covers", r.integer) },
		"rules":     func(n ast.Node) { d.Rules = readEach(r, n, "rules", r.rules) },
		"ramadan":   func(n ast.Node) { d.Ramadan = readEach(r, n, "ramadan", r.period) },
		"days":      func(n ast.Node) { d.Days = readEach(r, n, "days", r.day) },
	})
	if len(d.Rules)+len(d.Ramadan)+len(d.Days)+len(d.Repeals) == 0 {
		r.problem(n, "the decree says nothing: give rules, ramadan, days or repeals")
	}
}

func readEach[T any](r *decreeReader, n ast.Node, what string, read func(ast.Node, string) T) []T {
	var out []T
	for _, x := range r.list(n, what) {
		out = append(out, read(x, what))
	}
	return out
}

func (r *decreeReader) both(n ast.Node, what string) calendar.Text {
	var t calendar.Text
	r.mapping(n, what, []string{"id", "en"}, map[string]func(ast.Node){
		"id": func(n ast.Node) { t.ID = r.text(n, what+" in Indonesian") },
		"en": func(n ast.Node) { t.EN = r.text(n, what+" in English") },
	})
	return t
}

func (r *decreeReader) date(n ast.Node, what string) calendar.Date {
	s := r.text(n, what)
	d, err := calendar.ParseDate(s)
	switch {
	case s == "":
	case err != nil:
		r.problem(n, "%s: %v", what, err)
	case d.Year() < calendar.MinYear || d.Year() > calendar.MaxYear:
		r.problem(n, "%s: %s is not between %d and %d", what, d, calendar.MinYear, calendar.MaxYear)
	}
	return d
}

func (r *decreeReader) period(n ast.Node, what string) calendar.Period {
	var p calendar.Period
	r.mapping(n, what, []string{"from", "to"}, map[string]func(ast.Node){
		"from": func(n ast.Node) { p.From = r.date(n, what+" from") },
		"to":   func(n ast.Node) { p.To = r.date(n, what+" to") },
	})
	if p.From > p.To {
		r.problem(n, "%s: it ends on %s, before it begins", what, p.To)
	}
	return p
}

func (r *decreeReader) rules(n ast.Node, what string) calendar.Rules {
	var x calendar.Rules
	r.mapping(n, what, []string{"from", "week"}, map[string]func(ast.Node){
		"from": func(n ast.Node) { x.From = r.date(n, what+" from") },
		"to":   func(n ast.Node) { x.To = r.date(n, what+" to") },
		"week": func(n ast.Node) { x.Week = r.week(n, what+" week") },
		"ramadan": func(n ast.Node) {
			w := r.week(n, what+" ramadan")
			x.Ramadan = &w
		},
	})
	if x.To != 0 && x.To < x.From {
		r.problem(n, "%s: they end on %s, before they begin", what, x.To)
	}
	return x
}

func (r *decreeReader) week(n ast.Node, what string) calendar.Week {
	var w calendar.Week
	keys := map[string]func(ast.Node){}
	for day, name := range weekdays {
		keys[name] = func(n ast.Node) { w[day] = r.hours(n, what+" "+name) }
	}
	before := len(r.problems)
	r.mapping(n, what, nil, keys)
	if worked := slices.ContainsFunc(w[:], func(h calendar.Hours) bool { return len(h) > 0 }); !worked && len(r.problems) == before {
		r.problem(n, "%s: nobody works all week", what)
	}
	return w
}

var weekdays = [7]string{
	time.Sunday: "sunday", time.Monday: "monday", time.Tuesday: "tuesday", time.Wednesday: "wednesday",
	time.Thursday: "thursday", time.Friday: "friday", time.Saturday: "saturday",
}

func (r *decreeReader) hours(n ast.Node, what string) calendar.Hours {
	var h calendar.Hours
	for _, x := range r.list(n, what) {
		switch x.(type) {
		case *ast.MappingNode, *ast.MappingValueNode: // YAML took what stands before a colon for a key
			r.problem(x, "%s: write times with a dot here: 07.30-12.00", what)
			return h
		}
		s := r.text(x, what)
		i, err := calendar.ParseInterval(s)
		if err != nil && s != "" {
			r.problem(x, "%s: %v", what, err)
		}
		if err != nil {
			return nil
		}
		h = append(h, i)
	}
	if err := h.Check(); err != nil {
		r.problem(n, "%s: %v", what, err)
	}
	return h
}

func (r *decreeReader) day(n ast.Node, _ string) calendar.DayRule {
	var x calendar.DayRule
	given := false
	r.mapping(n, "a day", []string{"date", "kind", "name"}, map[string]func(ast.Node){
		"date": func(n ast.Node) { x.Date = r.date(n, "date") },
		"kind": func(n ast.Node) { x.Kind = word(&r.yamlReader, n, "kind of day", calendar.Kinds()) },
		"name": func(n ast.Node) { x.Name = r.both(n, "name of a day") },
		"hours": func(n ast.Node) {
			given = true
			x.Hours = r.hours(n, "hours of a day")
		},
	})
	if x.Date != 0 && r.seen[x.Date] {
		r.problem(n, "%s stands there twice", x.Date)
	}
	r.seen[x.Date] = true
	switch {
	case x.Kind == calendar.OwnHours && !given:
		r.problem(n, "a day of kind %s: say which hours", x.Kind)
	case x.Kind != "" && x.Kind != calendar.OwnHours && x.Kind != calendar.Working && len(x.Hours) > 0:
		r.problem(n, "a day of kind %s has no hours", x.Kind)
	}
	return x
}
