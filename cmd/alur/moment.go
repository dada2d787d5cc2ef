package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// moment is what a flag says of when: a day, which is its first moment where it is meant,
// or a time with its zone. One without a zone could be meant in three.
type moment struct{ flag, text string }

// momentForms is how help says it.
const momentForms = "a `DATE` such as 2026-11-23 or a time with its zone, such as 2026-11-23T08:00:00+07:00"

// momentFlag is a flag that takes a moment.
func momentFlag(c *cobra.Command, m *moment, flag, usage string) {
	m.flag = flag
	c.Flags().StringVar(&m.text, flag, "", usage)
}

// given reports whether the flag says anything.
func (m moment) given() bool { return m.text != "" }

// check refuses what is neither.
func (m moment) check() error {
	_, err := m.in(time.UTC)
	return err
}

// in is the moment, of a day in a zone; zero where the flag says nothing.
func (m moment) in(zone *time.Location) (time.Time, error) {
	if !m.given() {
		return time.Time{}, nil
	}
	if at, err := time.ParseInLocation(time.DateOnly, m.text, zone); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, m.text)
	if err != nil {
		err = fmt.Errorf("--%s %q: want a date such as 2026-11-23, or a time with its zone, such as 2026-11-23T08:00:00+07:00", m.flag, m.text)
	}
	return at, err
}
