package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/alur-id/alur/workflows/calendar"
	"github.com/alur-id/alur/workflows/simulation"
)

// simulationPrinter prints a report as tables. It keeps the first error of writing.
type simulationPrinter struct {
	w    io.Writer
	lang string
	err  error
}

func (p *simulationPrinter) say(phrase string, fill ...any) string {
	return simulation.Say(p.lang, phrase, fill...)
}

func (p *simulationPrinter) line(format string, fill ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", fill...)
	}
}

func (p *simulationPrinter) table(title string, header []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	p.line("\n%s", title)
	for i := range header {
		header[i] = p.say(header[i])
	}
	if p.err == nil {
		p.err = table(p.w, header, rows)
	}
}

func printSimulated(w io.Writer, out simulatedJSON, lang string) error {
	p := &simulationPrinter{w: w, lang: lang}
	r := out.Report
	p.line("%s", p.say("head", r.Service, r.Replications, r.Days, r.WarmUp, r.From, r.Seed, r.Calendar, r.Requests))
	if r.Clock == simulation.AroundClock {
		p.line("%s", p.say("around"))
	}
	var rows [][]string
	for _, n := range r.Parameters {
		seen := ""
		if n.Seen > 0 {
			seen = strconv.Itoa(n.Seen)
		}
		rows = append(rows, []string{p.say(string(n.Source)), n.What, n.Value, seen})
	}
	p.table(p.say("parameters"), []string{"source", "what", "is", "seen"}, rows)
	p.whole(r)
	p.stages(r)
	p.compared(out)
	p.whatIf(r)
	return p.err
}

func (p *simulationPrinter) whole(r *simulation.Report) {
	w := r.Whole
	p.table(p.say("whole"), []string{"figure", "value"}, [][]string{
		{p.say("came"), number(w.Came)},
		{p.say("ended"), number(w.Ended)},
		{p.say("turnaround_mean_days"), number(w.Mean)},
		{p.say("turnaround_median_days"), number(w.Median)},
		{p.say("turnaround_p90_days"), number(w.P90)},
		{p.say("deemed_share"), part(w.Deemed)},
		{p.say("open"), part(w.Open)},
		{p.say("stuck"), part(w.Stuck)},
	})
	for _, s := range r.Stuck {
		p.line("%s", p.say("told stuck", s.Times, printable(s.Why)))
	}
	var rows [][]string
	for _, t := range r.Terms {
		title := t.Title.In(p.lang)
		switch {
		case t.Term == "promise":
			title = p.say("promise")
		case strings.HasPrefix(t.Term, "promise "):
			title += ", " + p.say("promise")
		}
		budget := t.Budget
		if b, err := calendar.ParseBudget(budget); err == nil {
			budget = b.In(p.lang)
		}
		share := p.say("never counted")
		if t.Share != nil {
			share = part(t.Share)
		}
		rows = append(rows, []string{title, budget, share})
	}
	p.table(p.say("terms"), []string{"term", "budget", "on time"}, rows)
	rows = nil
	for _, e := range r.Ends {
		rows = append(rows, []string{e.Title.In(p.lang), part(e.Share)})
	}
	p.table(p.say("ends"), []string{"end", "share"}, rows)
}

func (p *simulationPrinter) stages(r *simulation.Report) {
	var rows [][]string
	for _, s := range r.Stages {
		role := s.Role
		if role == "" && s.Service != nil { // where only reviews are waited for, nobody works
			role = p.say("outside")
		}
		within := ""
		if s.Term != nil {
			within = part(s.Term)
		}
		rows = append(rows, []string{s.Stage, role, number(s.Came), number(s.Wait), number(s.P90), number(s.Service), number(s.Queue), number(s.Stay), within})
	}
	p.table(p.say("stages"), []string{"stage", "role", "per day", "wait", "p90", "work", "queue", "stay", "in term"}, rows)
	rows = nil
	for _, x := range r.Roles {
		officers := p.say("unlimited")
		if x.Officers > 0 {
			officers = strconv.Itoa(x.Officers)
		}
		rows = append(rows, []string{x.Role, officers, part(x.Busy), number(x.Working)})
	}
	p.table(p.say("roles"), []string{"role", "officers", "busy", "at work"}, rows)
	for _, x := range r.Roles {
		if x.Barred.Mean > 0 {
			p.line("%s", p.say("told barred", x.Role, number(x.Barred)))
		}
	}
	b := r.Bottleneck
	if b == nil {
		return
	}
	text := p.say("bottleneck", b.Role, part(b.Busy), percentage(b.Top.Mean))
	if b.Adds != nil {
		text += p.say("most waiting", b.Stage, number(b.Adds))
	}
	p.line("\n%s", text)
	p.overloaded(r.Overloaded)
}

// overloaded warns of queues without end.
func (p *simulationPrinter) overloaded(roles []string) {
	for _, role := range roles {
		p.line("%s", p.say("overload", role))
	}
	if len(roles) > 0 {
		p.line("%s", p.say("arrow"))
	}
}

func (p *simulationPrinter) compared(out simulatedJSON) {
	c := out.Compared
	if c == nil {
		return
	}
	w := out.Whole
	row := func(name string, x *simulation.Interval, fitted, held float64) []string {
		return []string{p.say(name), number(x), figures(fitted), figures(held)}
	}
	p.table(p.say("compared"), []string{"figure", "simulated", "fitted part", "held out"}, [][]string{
		{p.say("requests"), "", strconv.Itoa(c.Fitted.Requests), strconv.Itoa(c.Held.Requests)},
		row("came", w.Came, c.Fitted.Came, c.Held.Came),
		row("ended", w.Ended, c.Fitted.PerDay, c.Held.PerDay),
		row("turnaround_mean_days", w.Mean, c.Fitted.Mean, c.Held.Mean),
		row("turnaround_median_days", w.Median, c.Fitted.Median, c.Held.Median),
		row("turnaround_p90_days", w.P90, c.Fitted.P90, c.Held.P90),
	})
}

func (p *simulationPrinter) whatIf(r *simulation.Report) {
	if r.WhatIf == nil {
		return
	}
	var rows [][]string
	for _, x := range r.WhatIf.Figures {
		show := number
		if strings.HasSuffix(x.Figure, "_share") {
			show = part
		}
		name := p.say(x.Figure)
		if x.Of != "" {
			name += ", " + x.Of
		}
		change := show(x.Change)
		switch {
		case x.Change.Grows:
			change = p.say("no rest")
		case !x.Change.Different():
			change = "≈ " + change
		}
		rows = append(rows, []string{name, mean(x.Before, show), mean(x.After, show), change})
	}
	p.table(p.say("what if", strings.Join(r.WhatIf.Changes, ", ")), []string{"figure", "before", "after", "change"}, rows)
	p.overloaded(r.WhatIf.Overloaded)
}

// mean shows an interval's middle alone.
func mean(x *simulation.Interval, show func(*simulation.Interval) string) string {
	text, _, _ := strings.Cut(show(x), " (")
	return text
}

// number shows an interval as "1.23 (1.10 to 1.35)".
func number(x *simulation.Interval) string { return spanned(x, figures) }

// part shows an interval of shares in percent.
func part(x *simulation.Interval) string { return spanned(x, percentage) }

func spanned(x *simulation.Interval, show func(float64) string) string {
	if x == nil {
		return ""
	}
	switch {
	case x.Grows:
		return show(x.Mean) + " ↑"
	case math.IsInf(x.High, 0) || math.IsInf(x.Low, 0):
		return show(x.Mean)
	}
	return fmt.Sprintf("%s (%s–%s)", show(x.Mean), show(x.Low), show(x.High))
}

func percentage(v float64) string { return unsigned(strconv.FormatFloat(100*v, 'f', 1, 64)) + "%" }

// unsigned takes the sign from what is rounded to nothing.
func unsigned(text string) string {
	if strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-")
	}
	return text
}

// figures is a number as people read it.
func figures(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return unsigned(strconv.FormatFloat(v, 'f', 2, 64))
}
