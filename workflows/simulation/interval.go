package simulation

import (
	"encoding/json"
	"math"
	"strconv"
)

// Interval is a mean over replications, and between what it lies with 95% confidence
// (Student's t: replications are independent of each other).
type Interval struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	Of   int     `json:"of"` // replications in which it was seen

	// Grows says that the figure comes to no rest, because a queue has no end: the mean is
	// of the time that was simulated, and there are no bounds.
	Grows bool `json:"grows,omitempty"`
}

// intervalOf is the interval of some figures, of which those that were not seen are NaN.
func intervalOf(list []float64) *Interval {
	var x Interval
	for _, v := range list {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			x.Of++
			x.Mean += v
		}
	}
	if x.Of == 0 {
		return nil
	}
	x.Mean /= float64(x.Of)
	squares := 0.0
	for _, v := range list {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			squares += float64((v - x.Mean) * (v - x.Mean))
		}
	}
	half := math.Inf(1)
	if x.Of > 1 {
		half = student(x.Of-1) * math.Sqrt(squares/float64(x.Of-1)/float64(x.Of))
	}
	x.Low, x.High = x.Mean-half, x.Mean+half
	return &x
}

// within cuts an interval to what its figure can be.
func (x *Interval) within(least, most float64) *Interval {
	if x != nil {
		x.Low, x.High = max(x.Low, least), min(x.High, most)
	}
	return x
}

// grows takes the bounds from an interval whose figure comes to no rest.
func (x *Interval) grows() {
	if x != nil {
		x.Low, x.High, x.Grows = math.Inf(-1), math.Inf(1), true
	}
}

// Different reports whether an interval of differences leaves zero out.
func (x *Interval) Different() bool { return x != nil && (x.Low > 0 || x.High < 0) }

// MarshalJSON writes six figures: what a processor rounds otherwise is not among them.
// A bound that nothing is known of is left out.
func (x Interval) MarshalJSON() ([]byte, error) {
	out := map[string]json.RawMessage{"of": json.RawMessage(strconv.Itoa(x.Of))}
	for name, v := range map[string]float64{"mean": x.Mean, "low": x.Low, "high": x.High} {
		if !math.IsInf(v, 0) {
			out[name] = json.RawMessage(strconv.FormatFloat(tidy(v), 'g', -1, 64))
		}
	}
	if x.Grows {
		out["grows"] = json.RawMessage("true")
	}
	return json.Marshal(out)
}

// tidy rounds to six figures.
func tidy(v float64) float64 {
	t, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if math.Abs(t) < 1e-9 {
		return 0
	}
	return t
}

// figure is a number as people read it: three figures, no exponent.
func figure(v float64) string {
	switch a := math.Abs(v); {
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a < 0.0005:
		return "0"
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// student is the 0.975 quantile of Student's t distribution: from a table up to 30
// degrees of freedom, then by the expansion of Cornish and Fisher about the normal one
// (Abramowitz and Stegun 26.7.5), which is then exact to five figures.
func student(df int) float64 {
	table := [...]float64{
		12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.30600, 2.26216, 2.22814,
		2.20099, 2.17881, 2.16037, 2.14479, 2.13145, 2.11991, 2.10982, 2.10092, 2.09302, 2.08596,
		2.07961, 2.07387, 2.06866, 2.06390, 2.05954, 2.05553, 2.05183, 2.04841, 2.04523, 2.04227,
	}
	if df <= len(table) {
		return table[df-1]
	}
	const z = 1.959963984540054
	n := float64(df)
	z3, z5, z7 := z*z*z, z*z*z*z*z, z*z*z*z*z*z*z
	return z + (z3+z)/(4*n) + (5*z5+16*z3+3*z)/(96*n*n) + (3*z7+19*z5+17*z3-15*z)/(384*n*n*n)
}
