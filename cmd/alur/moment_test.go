package main

import (
	"testing"
	"time"
)

func TestAMomentIsADayThereOrATime(t *testing.T) {
	wit := time.FixedZone("WIT", 9*3600)
	for text, want := range map[string]string{
		"":                            "0001-01-01T00:00:00Z",
		"2026-11-23":                  "2026-11-23T00:00:00+09:00",
		"2026-11-23T08:00:00+07:00":   "2026-11-23T08:00:00+07:00",
		"2026-11-23T01:00:00.000001Z": "2026-11-23T01:00:00.000001Z",
		"2026-11-23T08:00:00":         "",
		"2026-11-23 08:00:00+07:00":   "",
		"2026-02-30":                  "",
		"23-11-2026":                  "",
		" 2026-11-23":                 "",
	} {
		m := moment{"at", text}
		got, err := m.in(wit)
		if (err == nil) != (want != "") || (m.check() == nil) != (want != "") || want != "" && got.Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %s, %v; want %s", text, got.Format(time.RFC3339Nano), err, want)
		}
	}
}
