package simulation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/alur-id/alur/workflows/calendar"
)

// Shape is the form of a distribution.
type Shape string

// The shapes.
const (
	Fixed       Shape = "fixed"
	Exponential Shape = "exponential"
	Lognormal   Shape = "lognormal"
	Gamma       Shape = "gamma"
	Empirical   Shape = "empirical" // one of the values that were recorded, each as likely
)

// Duration is how long something takes, as a distribution. An officer's is counted in
// working time, any other by the clock on the wall.
type Duration struct {
	Shape  Shape
	Mean   time.Duration
	Spread float64         // of lognormal and gamma: the standard deviation over the mean
	Values []time.Duration // of empirical, in order
}

// grain is what durations are rounded to. The last bit of a logarithm may differ
// between processors; a millisecond does not.
const grain = time.Millisecond

// draw draws a duration, in nanoseconds.
func (d *Duration) draw(r *rand.Rand) int64 {
	mean := float64(d.Mean / grain)
	switch d.Shape {
	case Exponential:
		return rounded(mean * r.ExpFloat64())
	case Lognormal:
		variance := math.Log1p(d.Spread * d.Spread)
		return rounded(mean * math.Exp(math.Sqrt(variance)*r.NormFloat64()-variance/2))
	case Gamma:
		shape := 1 / (d.Spread * d.Spread)
		return rounded(mean / shape * gamma(shape, r))
	case Empirical:
		return int64(d.Values[r.IntN(len(d.Values))])
	case Fixed:
	}
	return int64(d.Mean)
}

// rounded is a number of grains in nanoseconds; at most a hundred years of them.
func rounded(grains float64) int64 {
	const most = 100 * 366 * 24 * float64(time.Hour/grain)
	return int64(math.Round(min(grains, most))) * int64(grain)
}

// gamma draws by the method of Marsaglia and Tsang (2000), of scale 1.
func gamma(shape float64, r *rand.Rand) float64 {
	if shape < 1 {
		return gamma(shape+1, r) * math.Pow(1-r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// String is the distribution in the words of a file of parameters.
func (d *Duration) String() string {
	switch d.Shape {
	case Fixed, Exponential:
	case Empirical:
		return fmt.Sprintf("empirical, %d values, mean %s", len(d.Values), short(d.Mean))
	case Lognormal, Gamma:
		return fmt.Sprintf("%s, mean %s, spread %.2f", d.Shape, short(d.Mean), d.Spread)
	}
	return fmt.Sprintf("%s, mean %s", d.Shape, short(d.Mean))
}

// short is a time in its two largest units.
func short(d time.Duration) string {
	switch day := 24 * time.Hour; {
	case d >= day:
		d = d.Round(time.Hour)
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Second:
		return d.Round(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}

// empirical is the distribution of what was seen; values are sorted.
func empirical(values []time.Duration) *Duration {
	sum := 0.0
	for _, v := range values {
		sum += v.Seconds()
	}
	return &Duration{Shape: Empirical, Values: values, Mean: time.Duration(sum / float64(len(values)) * float64(time.Second))}
}

// officeDay is a working day where only a rough length is wanted: Perpres 21/2023 has
// 37 hours 30 minutes in five days.
const officeDay = 7*time.Hour + 30*time.Minute

// roughly is a budget as work: a working day is that of the office.
func roughly(b calendar.Budget) time.Duration {
	unit := map[string]time.Duration{"days": 24 * time.Hour, "hours": time.Hour, "minutes": time.Minute}[b.Unit]
	if b.Measure() == calendar.WorkingDays {
		unit = officeDay
	}
	return time.Duration(b.Amount) * unit
}

// onTheWall is how long a budget lasts by the clock on the wall, weekends included.
func onTheWall(b calendar.Budget) time.Duration {
	switch b.Measure() {
	case calendar.WorkingDays:
		return time.Duration(b.Amount) * 7 * 24 * time.Hour / 5
	case calendar.WorkingTime:
		return roughly(b) * 7 * 24 / 37
	case calendar.PlainTime, calendar.PlainDays:
	}
	return roughly(b)
}
