package simulation

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
)

// Chart draws the mean waiting of each stage with its interval, as SVG that needs no
// script and no font. The same report gives the same bytes.
func (r *Report) Chart(lang string) string {
	const left, width, height, top, shown = 270, 340, 26, 52, 36
	var bars []StageFigures
	most := 0.0
	for _, s := range r.Stages {
		if s.Wait != nil {
			bars = append(bars, s)
			most = max(most, s.Wait.Mean, finite(s.Wait.High))
		}
	}
	tick := step10(most)
	if most = math.Ceil(most/tick) * tick; most == 0 {
		most, tick = 1, 1
	}
	x := func(v float64) float64 { return left + width*min(v, most)/most }
	var b, told strings.Builder
	bottom := top + max(1, len(bars))*height
	for v := 0.0; v <= most+tick/2; v += tick {
		fmt.Fprintf(&b, "<path d=\"M%.1f %dV%d\" stroke=\"#ccc\"/><text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x(v), top-6, bottom, x(v), bottom+14, figure(v))
	}
	for i, s := range bars {
		name := s.Title.In(lang)
		y := float64(top + i*height)
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", left-8, y+13, html.EscapeString(cut(name, shown)))
		fmt.Fprintf(&b, "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"16\" fill=\"#4477aa\"/>\n", left, y, x(s.Wait.Mean)-left)
		beside, mark := x(s.Wait.Mean), ""
		if !s.Wait.Grows {
			fmt.Fprintf(&told, "%s.\n", Say(lang, "interval", name, figure(s.Wait.Mean), figure(s.Wait.Low), figure(s.Wait.High)))
			low, high := x(s.Wait.Low), x(finite(s.Wait.High))
			fmt.Fprintf(&b, "<path d=\"M%.1f %.1fv8m0 -4H%.1fm0 -4v8\" stroke=\"#222\" fill=\"none\"/>\n", low, y+4, high)
			beside = max(beside, high)
		} else {
			fmt.Fprintf(&told, "%s.\n", Say(lang, "growing", name, figure(s.Wait.Mean)))
			mark = " ↑"
		}
		fmt.Fprintf(&b, "<text x=\"%.1f\" y=\"%.1f\">%s%s</text>\n", beside+6, y+13, strconv.FormatFloat(s.Wait.Mean, 'f', 2, 64), mark)
	}
	if len(bars) == 0 {
		told.WriteString(Say(lang, "nobody") + "\n")
		fmt.Fprintf(&b, "<text x=\"12\" y=\"%d\">%s</text>\n", top+13, Say(lang, "nobody"))
	}
	title := Say(lang, "simulation", r.Title.In(lang), r.Replications, r.Seed)
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 %d" width="680" height="%d" role="img" aria-labelledby="t d" lang="%s" font-family="sans-serif" font-size="12">
<title id="t">%s</title>
<desc id="d">%s</desc>
<rect width="680" height="%d" fill="#fff"/>
<text x="12" y="18" font-weight="bold">%s</text>
<text x="12" y="36">%s</text>
%s</svg>
`, bottom+24, bottom+24, lang, html.EscapeString(title), html.EscapeString(told.String()), bottom+24, html.EscapeString(cut(title, 90)), Say(lang, "waits"), b.String())
}

func finite(v float64) float64 {
	if math.IsInf(v, 0) {
		return 0
	}
	return v
}

// step10 is a round step, of which four to ten make a number.
func step10(v float64) float64 {
	if v <= 0 {
		return 1
	}
	step := math.Pow(10, math.Floor(math.Log10(v)))
	switch n := v / step; {
	case n < 2:
		return step / 5
	case n < 4:
		return step / 2
	}
	return step
}

func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
