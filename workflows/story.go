package workflows

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/alur-id/alur/domain"
)

// storyWords are the words of stories, which are for somebody who reads laws and not code, in
// the language that was asked for.
var storyWords = map[string]Text{
	"submitted": {"Permohonan diajukan%s%s.", "A request is submitted%s%s."},
	"acts":      {"%s, sebagai %s, mengambil tindakan \"%s\"%s.", "%s, as %s, takes \"%s\"%s."},
	"somebody":  {"Seseorang", "Somebody"},
	"person":    {"Orang P", "The person P"},
	"by person": {" oleh orang P", " by the person P"},
	"anew":      {" dan mengisi ulang%s", " and fills in anew%s"},
	"records":   {" dan mencatat %s", " and records %s"},
	"with":      {" dengan %s", " with %s"},
	"follows":   {"Dengan sendirinya menyusul \"%s\".", "By itself, \"%s\" follows."},
	"runs out":  {"Jangka waktu habis (%s).", "The term runs out (%s)."},
	"is at":     {" Permohonan berada di \"%s\".", " It is at \"%s\"."},
	"attached":  {"Dokumen %s diserahkan.", "Document %s is handed in."},
	"together":  {"Dokumen %s diserahkan.", "Documents %s are handed in."},
	"missing":   {"Dokumen \"%s\" tidak ada.", "Document \"%s\" is missing."},
	"turned":    {"Dokumen \"%s\" ditolak.", "Document \"%s\" is refused."},
	"checked":   {"Daftar periksa \"%s\" dijawab ya.", "Checklist \"%s\" is answered with yes."},
	"unchecked": {"Satu butir daftar periksa \"%s\" dijawab tidak.", "An item of checklist \"%s\" is answered with no."},
	"paid":      {"Biaya \"%s\" dibayar.", "Fee \"%s\" is paid."},
	"settled":   {"Biaya %s dibayar bersama-sama.", "Fees %s are paid together."},
	"reviewed":  {"Penilaian \"%s\" %s%s.", "Review \"%s\" is %s%s."},
	"answered":  {"Sistem \"%s\" menjawab %s.", "System \"%s\" answers %s."},
	"supposing": {" (andaikan %s)", " (supposing that %s)"},
	"holds":     {"%q terpenuhi", "%q holds"},
	"fails":     {"%q tidak terpenuhi", "%q does not hold"},
	"unjudged":  {"%q tidak dapat dinilai", "%q cannot be judged"},
	"owes":      {"biaya %q lebih dari nol", "fee %q comes to more than nothing"},
	"free":      {"biaya %q menjadi nol", "fee %q comes to nothing"},
	"and":       {" dan ", " and "},
	"or":        {" atau ", " or "},
	"true":      {"ya", "true"},
	"false":     {"tidak", "false"},

	string(domain.OpinionApproved): {"disetujui", "approved"},
	string(domain.OpinionRefused):  {"ditolak", "refused"},
	string(DeemedApproval):         {"dianggap dikabulkan", "deemed approval"},
	string(DeemedRefusal):          {"dianggap ditolak", "deemed refusal"},
	string(Lapse):                  {"gugur", "lapse"},
}

func (c *inspection) say(key string, args ...any) string {
	text := storyWords[key].In(c.lang)
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// story tells how a request comes to a point.
func (s *search) story(i int) []string {
	return s.storyOf(i, "", func(step stepTaken, at point) (stepTaken, point) { return step, at })
}

// storyOf is the story of a document that is missing in the end, if one is named, with
// other steps and points in the place of those that were found.
func (s *search) storyOf(i int, missing domain.DocumentID, other func(stepTaken, point) (stepTaken, point)) []string {
	var steps []string
	refused := false // the missing one, and not handed in again since
	for _, j := range s.wayTo(i) {
		before := -1
		if s.from[j] >= 0 {
			before = int(s.points[s.from[j]].state)
		}
		step, at := other(s.by[j], s.points[j])
		if (step.kind == stepRefuse || step.kind == stepAttach) && step.of == s.p.groups[missing] {
			refused = step.kind == stepRefuse
		}
		steps = append(steps, s.sentence(step, before, &at, missing))
	}
	for k := range s.d.Documents {
		if doc := &s.d.Documents[k]; doc.ID == missing && !refused {
			steps = append(steps, s.say("missing", doc.Title.In(s.lang)))
		}
	}
	return steps
}

// wayTo lists the points that a request comes by to one, from its submission.
func (s *search) wayTo(i int) []int {
	var way []int
	for at := i; at >= 0; at = s.from[at] {
		way = append(way, at)
	}
	slices.Reverse(way)
	return way
}

// papers tells of a step the documents that it is about. Those that no rule tells apart are
// handed in together, for none of them makes a difference by itself; one of them is refused,
// which is the one that is missing in the end.
func (s *search) papers(step stepTaken, missing domain.DocumentID) string {
	one := s.p.ofGroup[step.of]
	var other *Document // than the one that is missing
	var titles []string
	for i := range s.d.Documents {
		doc := &s.d.Documents[i]
		if s.p.groups[doc.ID] != step.of {
			continue
		}
		titles = append(titles, fmt.Sprintf("%q", doc.Title.In(s.lang)))
		if doc.ID == missing {
			one = doc
		} else if other == nil {
			other = doc
		}
	}
	switch step.kind {
	case stepRefuse:
		return s.say("turned", one.Title.In(s.lang))
	case stepAttachOne:
		return s.say("attached", fmt.Sprintf("%q", other.Title.In(s.lang)))
	default:
	}
	key := "attached"
	if len(titles) > 1 {
		key = "together"
	}
	return s.say(key, strings.Join(titles, s.say("and")))
}

func (s *search) sentence(step stepTaken, before int, at *point, missing domain.DocumentID) string {
	text := s.plainly(step, at, missing)
	switch step.kind {
	case stepSubmit, stepAutomatic, stepExpiry:
		text += s.isAt(at)
	case stepAction:
		if before != int(at.state) {
			text += s.isAt(at)
		}
	default:
	}
	if len(step.supposing) > 0 {
		text = strings.TrimSuffix(text, ".") + s.say("supposing", s.supposed(step.supposing)) + "."
	}
	return text
}

func (s *search) isAt(at *point) string {
	return s.say("is at", s.d.States[at.state].Title.In(s.lang))
}

// supposed tells what conditions are taken to come to that cannot be told.
func (s *search) supposed(list supposition) string {
	var parts []string
	for _, x := range list {
		key, of := "fails", x.condition.Text
		switch {
		case x.failing:
			key = "unjudged"
		case x.holds:
			key = "holds"
		}
		if i := slices.IndexFunc(s.d.Fees, func(f Fee) bool { return f.Formula != nil && f.Formula.Text == of }); i >= 0 {
			key, of = "free", s.d.Fees[i].Title.In(s.lang) // whose amount it is
			if x.holds {
				key = "owes"
			}
		}
		parts = append(parts, s.say(key, of))
	}
	return strings.Join(parts, s.say("and"))
}

func (s *search) plainly(step stepTaken, at *point, missing domain.DocumentID) string {
	d, by := &s.d, ""
	if step.person {
		by = s.say("by person")
	}
	switch step.kind {
	case stepSubmit:
		return s.say("submitted", by, s.factsOf(at))
	case stepAction:
		return s.acted(step, at)
	case stepAutomatic:
		return s.say("follows", s.titleOf(d.Transitions[step.of].Action))
	case stepExpiry:
		return s.say("runs out", s.say(string(s.p.expiries[step.of].expiry.Ground)))
	case stepAttach, stepAttachOne, stepRefuse:
		return s.papers(step, missing)
	case stepCheck:
		return s.say("checked", d.Checklists[step.of].Title.In(s.lang))
	case stepUncheck:
		return s.say("unchecked", d.Checklists[step.of].Title.In(s.lang))
	case stepPay:
		return s.say("paid", s.p.fees[step.of].Title.In(s.lang))
	case stepSettle:
		var titles []string
		for i, f := range s.p.fees {
			if step.of>>i&1 == 1 {
				titles = append(titles, fmt.Sprintf("%q", f.Title.In(s.lang)))
			}
		}
		return s.say("settled", strings.Join(titles, ", "))
	case stepReview:
		return s.say("reviewed", d.Reviews[step.of].Title.In(s.lang), s.say(step.word), by)
	case stepAnswer:
		return s.say("answered", d.system(d.States[step.of].WaitsFor).Title.In(s.lang), step.word)
	}
	return ""
}

func (s *search) acted(step stepTaken, at *point) string {
	t, who, more := &s.d.Transitions[step.of], "somebody", ""
	if step.person {
		who = "person"
	}
	if t.Kind == domain.ActionCorrect {
		more = s.say("anew", s.factsOf(at))
	}
	return s.say("acts", s.say(who), s.roles(t), s.titleOf(t.Action), more+s.recordedAt(t, at))
}

// recordedAt tells what a transition recorded of the facts that conditions ask for.
func (s *search) recordedAt(t *Transition, at *point) string {
	var list []string
	for _, id := range t.Records {
		if v, ok := s.p.values[at.value].facts[id]; ok {
			list = append(list, s.factIs(s.d.fact(id), v))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return s.say("records", strings.Join(list, ", "))
}

func (s *search) factIs(f *Fact, v any) string {
	if b, ok := v.(bool); ok {
		return strings.ToLower(f.Title.In(s.lang)) + " " + s.say(strconv.FormatBool(b))
	}
	return strings.ToLower(f.Title.In(s.lang)) + " " + valueAs(v)
}

// valueAs is the value of a fact as people write it: of a number all digits, unless they are
// more than anybody reads.
func valueAs(v any) string {
	if n, ok := v.(float64); ok && math.Abs(n) < 1e15 {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// factsOf tells the facts that conditions ask for.
func (s *search) factsOf(at *point) string {
	in := &s.p.values[at.value]
	var list []string
	for i := range s.d.Facts {
		f := &s.d.Facts[i]
		if v, ok := in.facts[f.ID]; ok && !f.Recorded {
			list = append(list, s.factIs(f, v))
		}
	}
	text := ""
	if len(list) > 0 {
		text = s.say("with", strings.Join(list, ", "))
	}
	var taken supposition
	for _, c := range slices.Sorted(maps.Keys(in.supposed)) {
		taken = append(taken, supposed{condition: &Condition{Text: c}, holds: in.supposed[c]})
	}
	for _, c := range slices.Sorted(maps.Keys(in.failing)) {
		taken = append(taken, supposed{condition: &Condition{Text: c}, failing: true})
	}
	if len(taken) > 0 {
		text += s.say("supposing", s.supposed(taken))
	}
	return text
}

func (s *search) roles(t *Transition) string {
	var names []string
	for _, id := range t.Roles {
		for _, r := range s.d.Roles {
			if r.ID == id {
				names = append(names, r.Title.In(s.lang))
			}
		}
	}
	return strings.Join(names, s.say("or"))
}

func (s *search) titleOf(a domain.ActionID) string {
	for _, x := range s.d.Actions {
		if x.ID == a {
			return x.Title.In(s.lang)
		}
	}
	return string(a)
}
