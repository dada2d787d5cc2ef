package difference

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// comparison walks two definitions side by side. It goes by their types, so that
// nothing a definition can say is left out; the words for each field stand in
// fieldWords.
type comparison struct {
	definition *workflows.Definition // the later one
	changes    []Change
	plain      bool // what is new is told by itself: there was nothing before
}

// place is where in a definition a value is.
type place struct {
	group   Group
	subject Text // such as: state review
	within  Text // such as: when it runs out
	field   string
	own     bool   // the time is the citizen's own
	amount  string // what an amount of time is: "" for what may be waited, else promise or reminder
}

// at is the place of a field.
func (p place) at(owner reflect.Type, f reflect.StructField) place {
	p.field = ""
	w, ok := fieldWords[owner.Name()+"."+f.Name]
	if !ok {
		p.field = owner.Name() + "." + f.Name
		w = words{name: same(strings.Split(f.Tag.Get("yaml"), ",")[0])}
	}
	if w.group != "" {
		p.group = w.group
	}
	if w.name != (Text{}) {
		p.within = joined(p.within, w.name, ": ")
	}
	p.amount = amounts[f.Name]
	return p
}

// amounts are the fields whose amount of time is not how long somebody waits.
var amounts = map[string]string{"Promise": "promise", "Remind": "reminder"}

func joined(a, b Text, by string) Text {
	if a == (Text{}) || b == (Text{}) {
		return Text{a.ID + b.ID, a.EN + b.EN}
	}
	return Text{a.ID + by + b.ID, a.EN + by + b.EN}
}

func (c *comparison) tell(p place, kind Kind, text Text) {
	if !c.plain {
		text = joined(joined(p.subject, p.within, ": "), text, ": ")
	} else {
		text = joined(p.within, text, " ")
	}
	c.changes = append(c.changes, Change{Group: p.group, Kind: kind, Text: text, field: p.field})
}

// was tells a value and the one it has now; an empty one is none.
func (c *comparison) was(p place, before, after Text) {
	if c.plain {
		c.tell(p, Changed, after)
		return
	}
	c.tell(p, Changed, phrases["was"].says(orNone(before), orNone(after)))
}

func orNone(t Text) Text {
	if t == (Text{}) {
		return phrases["none"]
	}
	return t
}

// fields compares two structs.
func (c *comparison) fields(p place, a, b reflect.Value) {
	t := a.Type()
	if s, ok := b.Interface().(workflows.State); ok {
		p.own = c.ofCitizen(s.Owner)
	}
	if x, ok := b.Interface().(workflows.Term); ok {
		p.own = p.own || x.Expires != nil && x.Expires.Ground == workflows.Lapse
	}
	dated := c.dated(p, a, b)
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case !f.IsExported(), f.Type == reflect.TypeFor[[]workflows.Scenario](): // tests are only counted
		case c.plain && named(t, f.Name): // it stands in the subject
		case dated && (f.Name == "Budget" || f.Name == "Due"): // told already
		default:
			c.value(p.at(t, f), a.Field(i), b.Field(i))
		}
	}
}

// dated tells of a term that is due at a date and had a budget, or the other way round.
func (c *comparison) dated(p place, a, b reflect.Value) bool {
	before, ok := a.Interface().(workflows.LegalTerm)
	after, also := b.Interface().(workflows.LegalTerm)
	if !ok || !also || c.plain || (before.Due == "") == (after.Due == "") {
		return false
	}
	lasts := func(t workflows.LegalTerm) Text {
		if t.Due != "" {
			return phrases["until"].says(same(t.Due))
		}
		return budgetWords(t.Budget)
	}
	p.group = Terms
	c.tell(p, Changed, phrases["time otherwise"].says(orNone(lasts(before)), orNone(lasts(after))))
	return true
}

// named reports whether an item is named by a field.
func named(t reflect.Type, field string) bool {
	switch t {
	case reflect.TypeFor[workflows.Transition]():
		return slices.Contains([]string{"Action", "From", "To"}, field)
	case reflect.TypeFor[workflows.Invariant]():
		return field != "Because"
	}
	return field == "ID" || field == "Code"
}

// ofCitizen reports whether a role is that of applicants.
func (c *comparison) ofCitizen(id domain.RoleID) bool {
	return c.definition != nil && slices.ContainsFunc(c.definition.Roles, func(r workflows.Role) bool {
		return r.ID == id && slices.Contains(r.Capacities, domain.CapacitySelf)
	})
}

// value compares two values of one type.
func (c *comparison) value(p place, a, b reflect.Value) {
	switch before := a.Interface().(type) {
	case workflows.Text:
		c.text(p, before, b.Interface().(workflows.Text))
		return
	case workflows.Budget:
		c.budget(p, before, b.Interface().(workflows.Budget))
		return
	case *workflows.Budget:
		c.budget(p, budgetOf(before), budgetOf(b.Interface().(*workflows.Budget)))
		return
	case *workflows.Condition:
		c.scalar(p, reflect.ValueOf(conditionText(before)), reflect.ValueOf(conditionText(b.Interface().(*workflows.Condition))))
		return
	case *workflows.Form:
		c.form(p, before, b.Interface().(*workflows.Form))
		return
	}
	switch a.Kind() {
	case reflect.Pointer:
		c.pointer(p, a, b)
	case reflect.Struct:
		c.fields(p, a, b)
	case reflect.Slice:
		if a.Type().Elem().Kind() == reflect.Struct {
			c.list(p, a, b)
			return
		}
		c.set(p, textsOf(a), textsOf(b))
	default:
		c.scalar(p, a, b)
	}
}

func conditionText(x *workflows.Condition) string {
	if x == nil {
		return ""
	}
	return x.Text
}

// pointer compares what may be left out: then it is as if all of it were empty, but
// that it is there at all may mean something.
func (c *comparison) pointer(p place, a, b reflect.Value) {
	if a.IsNil() && b.IsNil() {
		return
	}
	if a.Type().Elem().Kind() != reflect.Struct {
		c.scalar(p, a, b)
		return
	}
	before := len(c.changes)
	c.fields(p, orEmpty(a), orEmpty(b))
	if a.IsNil() != b.IsNil() && before == len(c.changes) {
		c.was(p, presence(a), presence(b))
	}
}

func orEmpty(v reflect.Value) reflect.Value {
	if v.IsNil() {
		return reflect.Zero(v.Type().Elem())
	}
	return v.Elem()
}

func presence(v reflect.Value) Text {
	if v.IsNil() {
		return Text{}
	}
	return phrases["given"]
}

func (c *comparison) scalar(p place, a, b reflect.Value) {
	if before, after := wordOf(a), wordOf(b); before != after || !reflect.DeepEqual(a.Interface(), b.Interface()) {
		c.was(p, before, after)
	}
}

// wordOf is a value as it is told.
func wordOf(v reflect.Value) Text {
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return Text{}
		}
		return wordOf(v.Elem())
	}
	switch {
	case v.Kind() == reflect.Bool:
		return phrases[map[bool]string{true: "yes", false: "no"}[v.Bool()]]
	case v.IsZero() && v.Kind() == reflect.String:
		return Text{}
	}
	switch v.Interface().(type) {
	case domain.Outcome, domain.PublicStatus, domain.Opinion, workflows.ExpiryGround: // no names that somebody gave
		if w, ok := valueWords[v.String()]; ok {
			return w
		}
	}
	return same(fmt.Sprint(v.Interface()))
}

// text compares what people read. Each language is told in itself, and that only
// the other one changed in both.
func (c *comparison) text(p place, a, b workflows.Text) {
	before, after := Text(a), Text(b)
	switch {
	case a == b:
	case c.plain:
		c.was(p, before, after)
	case a.ID != b.ID && a.EN != b.EN:
		c.was(p, quoted(before), quoted(after))
	case a.ID != b.ID:
		c.was(p.in("in Indonesian"), quoted(same(a.ID)), quoted(same(b.ID)))
	default:
		c.was(p.in("in English"), quoted(same(a.EN)), quoted(same(b.EN)))
	}
}

// in is the place of a text in one language.
func (p place) in(language string) place {
	p.within = joined(p.within, phrases[language], " ")
	return p
}

func quoted(t Text) Text {
	quote := func(s string) string {
		if s == "" {
			return s
		}
		return `"` + s + `"`
	}
	q := Text{quote(t.ID), quote(t.EN)}
	if q.ID == "" && q.EN == "" {
		return Text{}
	}
	return q
}

// textsOf are the items of a list of names; a list of lists is one of sets.
func textsOf(v reflect.Value) []string {
	list := make([]string, v.Len())
	for i := range list {
		item := v.Index(i)
		if item.Kind() == reflect.Slice {
			list[i] = strings.Join(textsOf(item), " + ")
			continue
		}
		list[i] = fmt.Sprint(item.Interface())
	}
	return list
}

func (c *comparison) set(p place, a, b []string) {
	gone, come := without(a, b), without(b, a)
	if c.plain {
		if len(b) > 0 {
			c.tell(p, Changed, same(strings.Join(b, ", ")))
		}
		return
	}
	if len(come) > 0 {
		c.tell(p, Changed, phrases["also"].says(same(strings.Join(come, ", "))))
	}
	if len(gone) > 0 {
		c.tell(p, Changed, phrases["no longer"].says(same(strings.Join(gone, ", "))))
	}
	if len(gone)+len(come) == 0 && !slices.Equal(a, b) {
		c.tell(p, Reordered, phrases["reordered"].says(same(strings.Join(b, ", "))))
	}
}

// without lists what is in a and not in b, as often as it is there more often.
func without(a, b []string) []string {
	rest := slices.Clone(b)
	var list []string
	for _, s := range a {
		if i := slices.Index(rest, s); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
			continue
		}
		list = append(list, s)
	}
	return list
}
