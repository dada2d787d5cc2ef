package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/alur-id/alur/workflows/discovery"
)

// mostLines is how many lines of a list the report for people shows; --json has
// more.
const mostLines = 10

// reporter prints sections until a write fails.
type reporter struct {
	w   io.Writer
	err error
}

func (r *reporter) line(format string, args ...any) {
	if r.err == nil {
		_, r.err = fmt.Fprintf(r.w, format+"\n", args...)
	}
}

// list prints a table, or nothing when it would be empty.
func (r *reporter) list(header []string, rows [][]string, all int) {
	if r.err != nil || len(rows) == 0 {
		return
	}
	r.err = table(r.w, header, rows)
	if all > len(rows) {
		r.line("and %d more", all-len(rows))
	}
}

// firstRows makes the rows of a list's first lines.
func firstRows[T any](list []T, row func(T) []string) [][]string {
	var rows [][]string
	for _, x := range list[:min(len(list), mostLines)] {
		rows = append(rows, row(x))
	}
	return rows
}

// discoverReport is what a log shows beside the draft.
func discoverReport(w io.Writer, l *discovery.Learnt, m *discovery.Measured) error {
	r := &reporter{w: w}
	r.rework(&l.Rework)
	r.parallel(&l.Parallel)
	r.who("resource", &l.Who)
	if l.Roles != nil {
		r.who("role", l.Roles)
	}
	r.pace(&l.Pace)
	for _, f := range l.NotKept {
		r.line("\nThe table of %s was full at %d: %d times there was no room.", f.Table, f.Most, f.Times)
	}
	r.quality(m)
	return r.err
}

func (r *reporter) rework(w *discovery.Rework) {
	r.line("\nREWORK: in %d cases something was done again", w.Cases)
	r.list([]string{"activity", "cases", "again", "repeats", "most in one case"}, firstRows(w.Activities, func(a discovery.ReworkActivity) []string {
		return []string{a.Activity, strconv.Itoa(a.Cases), strconv.Itoa(a.Again), strconv.Itoa(a.Repeats), strconv.Itoa(a.Most)}
	}), len(w.Activities))
	r.list([]string{"loop", "rounds", "cases"}, firstRows(w.Loops, func(x discovery.Loop) []string {
		return []string{strings.Join(x.Activities, " > "), strconv.Itoa(x.Rounds), strconv.Itoa(x.Cases)}
	}), w.AllLoops)
	if w.Longer > 0 {
		r.line("and %d rounds of longer loops", w.Longer)
	}
}

func (r *reporter) parallel(p *discovery.Parallel) {
	r.line("\nSIDE BY SIDE: %d pairs of activities come in both orders; sets in which every two do", p.All)
	r.list([]string{"like", "times", "same resource", "same instant", "activities"}, firstRows(p.Sets, func(s discovery.ParallelSet) []string {
		return []string{s.Like, strconv.Itoa(s.Times), percent(s.SameWho, s.Times), percent(s.SameTime, s.Times), strings.Join(s.Activities, " | ")}
	}), len(p.Sets))
}

func (r *reporter) who(kind string, w *discovery.Who) {
	r.line("\nWHO, BY %s: %d; of %d steps %d (%s) went to another; of %d cases of two events or more one did %d (%s) alone; %d events name nobody",
		strings.ToUpper(kind), w.Names, w.Steps, w.Handed, percent(w.Handed, w.Steps), w.CasesOfTwo, w.AllByOne, percent(w.AllByOne, w.CasesOfTwo), w.Unrecorded)
	row := func(a discovery.ActivityWho) []string {
		return []string{a.Activity, strconv.Itoa(a.Times), strconv.Itoa(a.Names), fmt.Sprintf("%s (%s)", a.Mostly, percent(a.MostlyTimes, a.Times))}
	}
	r.list([]string{"activity", "times", kind + "s", "mostly"}, firstRows(w.Activities, row), len(w.Activities))
	// That an activity belongs to one role is as it should be.
	if kind == "resource" && len(w.ByOne) > 0 {
		r.line("Only ever done by one, though more than once:")
		r.list([]string{"activity", "times", kind + "s", "mostly"}, firstRows(w.ByOne, row), len(w.ByOne))
	}
	r.list([]string{"from", "to", "handovers"}, firstRows(w.Handovers, func(h discovery.Handover) []string {
		return []string{h.From, h.To, strconv.Itoa(h.Times)}
	}), w.Pairs)
}

func (r *reporter) pace(p *discovery.Pace) {
	r.line("\nHOW LONG, by the wall clock: from the first event of a case to the last %s in half of them, %s in nine of ten",
		discovery.Duration(p.Case.Median), discovery.Duration(p.Case.P90))
	r.list([]string{"after", "times", "median", "90%", "clock ran backwards"}, firstRows(p.After, func(s discovery.Span) []string {
		return []string{s.Activity, strconv.Itoa(s.Times), discovery.Duration(s.Median), discovery.Duration(s.P90), strconv.Itoa(s.Backward)}
	}), len(p.After))
}

// quality compares the draft with a flower of the same activities: a precision
// means little by itself.
func (r *reporter) quality(m *discovery.Measured) {
	if m == nil {
		r.line("\nFITNESS AND PRECISION: not measured, for that the log must be read twice, and this is no file")
		return
	}
	r.line("\nFITNESS AND PRECISION")
	rows := [][]string{qualityRow("draft, on what it was learnt from", &m.Learnt), qualityRow("flower, on the same", &m.LearntFlower)}
	if m.Held != nil {
		rows = append(rows, qualityRow("draft, on what was held out", m.Held), qualityRow("flower, on the same", m.HeldFlower))
	}
	r.list([]string{"model", "cases", "fitness", "of events", "with roles", "at an end", "precision", "beginnings left out"}, rows, len(rows))
	r.line("A flower lets everybody do everything at any time.")
	q := &m.Learnt
	if m.Held != nil {
		q = m.Held
	}
	r.list([]string{"does not fit after", "activity", "cases"}, firstRows(q.Misfits, func(f discovery.Misfit) []string {
		return []string{string(f.After), f.Activity, strconv.Itoa(f.Cases)}
	}), q.AllMisfits)
}

func qualityRow(name string, q *discovery.Quality) []string {
	if q.Cases == 0 {
		return []string{name, "0", "", "", "", "", "", ""}
	}
	figure := func(x float64) string { return strconv.FormatFloat(x, 'f', 4, 64) }
	return []string{
		name, strconv.Itoa(q.Cases), figure(q.Fitness), figure(q.EventFitness), figure(q.RoleFitness),
		strconv.Itoa(q.Ended), figure(q.Precision), strconv.Itoa(q.LeftOut),
	}
}

func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", 100*float64(part)/float64(whole))
}
