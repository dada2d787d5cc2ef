package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
)

// logStat is what a log holds.
type logStat struct {
	Store   string          `json:"store"`
	Events  int             `json:"events"`
	Streams map[string]int  `json:"streams"` // by what they are of
	Types   map[string]int  `json:"types"`   // by name and schema version
	Sealed  int             `json:"sealed"`  // events with sealed data
	Bytes   int64           `json:"bytes"`   // of envelopes and bodies
	Head    domain.Position `json:"head"`
	First   time.Time       `json:"first,omitzero"` // when the first event was recorded
	Last    time.Time       `json:"last,omitzero"`
	Unread  int             `json:"unread,omitempty"` // events that cannot be read; see alur log verify
}

func newLogStat() *cobra.Command {
	var s stores
	var asJSON bool
	c := &cobra.Command{
		Use:   "stat",
		Short: "Count what the log holds",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s.readOnly = true
			log, kind, err := s.openLog(c.Context())
			if err != nil {
				return err
			}
			st := logStat{Store: kind.kind, Streams: map[string]int{}, Types: map[string]int{}}
			for e, err := range log.ReadAll(c.Context(), 0) {
				if err != nil {
					return errors.Join(err, log.Close())
				}
				st.count(e)
			}
			if err := log.Close(); err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), st)
			}
			return table(c.OutOrStdout(), []string{"WHAT", "HOW MUCH"}, st.rows())
		},
	}
	s.flags(c)
	jsonFlag(c, &asJSON)
	return c
}

func (s *logStat) count(e domain.Entry) {
	s.Events++
	s.Head = e.Position
	s.Bytes += int64(len(e.Meta) + len(e.Data))
	s.Types[fmt.Sprintf("%s v%d", e.Type, e.Schema)]++
	if e.Version == 1 {
		s.Streams[domain.StreamKind(e.Stream)]++
	}
	r, err := domain.Decode(e)
	if err != nil {
		s.Unread++
		return
	}
	if r.Box != nil {
		s.Sealed++
	}
	if s.First.IsZero() {
		s.First = r.At
	}
	s.Last = r.At
}

func (s *logStat) rows() [][]string {
	rows := [][]string{
		{"store", s.Store},
		{"events", fmt.Sprint(s.Events)},
		{"events with sealed data", fmt.Sprint(s.Sealed)},
		{"bytes of envelopes and bodies", fmt.Sprint(s.Bytes)},
		{"head", fmt.Sprint(s.Head)},
		{"first recorded", s.First.Format(time.RFC3339)},
		{"last recorded", s.Last.Format(time.RFC3339)},
	}
	if s.Unread > 0 {
		rows = append(rows, []string{"events that cannot be read", fmt.Sprint(s.Unread)})
	}
	for _, k := range sortedKeys(s.Streams) {
		rows = append(rows, []string{"streams: " + k, fmt.Sprint(s.Streams[k])})
	}
	for _, k := range sortedKeys(s.Types) {
		rows = append(rows, []string{"type: " + k, fmt.Sprint(s.Types[k])})
	}
	return rows
}
