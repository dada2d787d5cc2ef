package simulation

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// Each shape has the mean and the spread that it is said to have.
func TestDurationsHaveTheirMeanAndSpread(t *testing.T) {
	minute := time.Minute
	for _, c := range []struct {
		d      Duration
		spread float64
	}{
		{Duration{Shape: Fixed, Mean: 20 * minute}, 0},
		{Duration{Shape: Exponential, Mean: 20 * minute}, 1},
		{Duration{Shape: Lognormal, Mean: 20 * minute, Spread: 0.5}, 0.5},
		{Duration{Shape: Lognormal, Mean: 20 * minute, Spread: 1.5}, 1.5},
		{Duration{Shape: Gamma, Mean: 20 * minute, Spread: 0.5}, 0.5},
		{Duration{Shape: Gamma, Mean: 20 * minute, Spread: 2}, 2}, // a shape below 1
		{*empirical([]time.Duration{10 * minute, 20 * minute, 60 * minute}), math.Sqrt(1400.0/3) / 30},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		const n = 200_000
		sum, squares := 0.0, 0.0
		for range n {
			x := time.Duration(c.d.draw(r)).Minutes()
			if x < 0 {
				t.Fatalf("%s: %v minutes", &c.d, x)
			}
			sum, squares = sum+x, squares+x*x
		}
		mean := sum / n
		spread := math.Sqrt(max(0, squares/n-mean*mean)) / mean
		if math.Abs(mean/c.d.Mean.Minutes()-1) > 0.02 || math.Abs(spread-c.spread) > 0.05*max(c.spread, 0.01) {
			t.Errorf("%s: mean %.3f minutes, spread %.3f", &c.d, mean, spread)
		}
	}
}

// The quantiles are those of the tables (NIST Engineering Statistics Handbook 1.3.6.7.2).
func TestStudent(t *testing.T) {
	for df, want := range map[int]float64{1: 12.706, 4: 2.776, 19: 2.093, 30: 2.042, 31: 2.040, 40: 2.021, 60: 2.000, 100: 1.984, 1_000_000: 1.960} {
		if got := student(df); math.Abs(got-want) > 0.0006 {
			t.Errorf("%d degrees of freedom: %.4f, want %.3f", df, got, want)
		}
	}
}

func TestIntervals(t *testing.T) {
	x := intervalOf([]float64{1, 2, 3, math.NaN()})
	if x.Of != 3 || x.Mean != 2 || math.Abs(x.Low-(2-4.30265/math.Sqrt(3))) > 1e-9 {
		t.Errorf("interval of 1, 2, 3 is %+v", x)
	}
	if x := intervalOf([]float64{math.NaN()}); x != nil {
		t.Errorf("interval of nothing is %+v", x)
	}
	if x := intervalOf([]float64{5}); !math.IsInf(x.High, 1) {
		t.Errorf("interval of one figure is %+v", x)
	}
	b, err := intervalOf([]float64{5}).MarshalJSON()
	if err != nil || string(b) != `{"mean":5,"of":1}` {
		t.Errorf("%s %v", b, err)
	}
}
