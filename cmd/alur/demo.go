package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

func newDemo() *cobra.Command {
	var listen string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Serve a throw-away database with a handful of requests",
		Long: `Demo makes a database in a temporary folder, publishes the shipped catalogue,
drives a handful of requests into different states with the same commands that
anybody would send, and serves. The database is removed when the demo stops.
Everybody in it is invented.`,
		Args: func(c *cobra.Command, args []string) error {
			return errors.Join(cobra.NoArgs(c, args), isAddress(listen))
		},
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := os.MkdirTemp("", "alur-demo-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			db := filepath.Join(dir, "demo.db")
			return withHouse(c, stores{db: db, sealing: true}, func(ctx context.Context, h *house) error { return h.demo(ctx, c, db, listen) })
		},
	}
	listenFlag(c, &listen)
	return c
}

func (h *house) demo(ctx context.Context, c *cobra.Command, db, listen string) error {
	logger := newLogger(c)
	l, err := listenOn(ctx, listen)
	if err != nil {
		return err
	}
	if err := errors.Join(h.publishCatalogue(ctx, logger), h.playDemo(ctx, time.Now()), h.views.CatchUp(ctx)); err != nil {
		return errors.Join(err, l.Close())
	}
	list, err := h.status.List(ctx, projections.Filter{})
	if err == nil {
		err = printDemo(c.OutOrStdout(), "http://"+l.Addr().String(), db, list)
	}
	if err != nil {
		return errors.Join(err, l.Close())
	}
	return h.serve(ctx, l, logger)
}

func printDemo(w io.Writer, base, db string, list []projections.Status) error {
	rows := make([][]string, len(list))
	for i, s := range list {
		rows[i] = []string{base + "/lacak/" + string(s.Reference), s.Service, string(s.State), string(s.Public)}
	}
	if _, err := io.WriteString(w, "Open one of these pages (Indonesian; English at the top right):\n\n"); err != nil {
		return err
	}
	if err := table(w, []string{"PAGE", "SERVICE", "STATE", "STATUS"}, rows); err != nil {
		return err
	}
	last := list[len(list)-1].Reference
	_, err := fmt.Fprintf(w, `
Find a request by its reference:   %s/lacak
The JSON API:                      %s/api/v1/requests  (described at %s/api/openapi.yaml)
Who did what to the last request:  go run ./cmd/alur audit %s --db %s
The same, as it stood at first:    go run ./cmd/alur replay %s --version 1 --db %s

Stop with Ctrl-C. The database is then removed.
`, base, base, base, last, db, last, db)
	return err
}

// demoStep is one action of a played request.
type demoStep struct {
	action domain.ActionID
	role   domain.RoleID
	reason domain.ReasonCode
}

// demoRequests are played from their submission to the last step. The people
// are pseudonyms of nobody.
var demoRequests = []struct {
	daysAgo int
	kind    string
	counter bool // filed at the counter
	steps   []demoStep
}{
	{daysAgo: 12, kind: "new", steps: []demoStep{
		{"accept", "front-office", ""},
		{"recommend", "health-office", ""},
		{"assign-number", "licensing", ""},
		{"sign", "head", ""},
		{"issue", "licensing", ""},
	}},
	{daysAgo: 11, kind: "renewal", steps: []demoStep{
		{"accept", "front-office", ""},
		{"advise-against", "health-office", "three-places"},
		{"refuse", "head", "three-places"},
	}},
	{daysAgo: 9, kind: "new", steps: []demoStep{
		{"return", "front-office", "photo-unsuitable"},
		{"withdraw", "applicant", ""},
	}},
	{daysAgo: 6, kind: "new", counter: true, steps: []demoStep{
		{"return", "front-office", "str-missing"},
		{"resubmit", "applicant", ""},
		{"accept", "front-office", ""},
		{"recommend", "health-office", ""},
		{"assign-number", "licensing", ""},
	}},
	{daysAgo: 4, kind: "renewal", steps: []demoStep{{"accept", "front-office", ""}}},
	{daysAgo: 3, kind: "new", steps: []demoStep{{"return", "front-office", "skp-missing"}}},
	{daysAgo: 1, kind: "new"},
}

// playDemo submits the demo's requests in the morning of their day and takes
// their actions, one in the morning and one in the afternoon.
func (h *house) playDemo(ctx context.Context, now time.Time) error {
	const tenant = domain.TenantCode("11.71")
	today := now.In(tenant.Zone())
	for i, d := range demoRequests {
		day := time.Date(today.Year(), today.Month(), today.Day()-d.daysAgo, 0, 0, 0, 0, today.Location())
		applicant := domain.Actor{ID: fmt.Sprintf("applicant-%02d", i+1), Role: "applicant", Capacity: domain.CapacitySelf}
		if d.counter {
			applicant = domain.Actor{ID: "counter-01", Role: "applicant", Capacity: domain.CapacityCounter}
		}
		header := func(a domain.Actor, at time.Time) (domain.Header, error) {
			id, err := uuid.NewV7()
			return domain.Header{ID: id, Actor: a, Occurred: at}, err
		}
		first, err := header(applicant, day.Add(8*time.Hour+time.Duration(7*i)*time.Minute))
		if err != nil {
			return err
		}
		answer, err := h.engine.Submit(ctx, domain.Submit{
			Header: first, Tenant: tenant, Service: "sip-dokter",
			Facts: domain.Facts{"kind": d.kind, "practice_place": float64(1 + i%3)},
			// No day is the 99th: this is nobody's number.
			Identity: domain.Identity(fmt.Sprintf("nik:11719999990000%02d", i+1)),
			Form:     domain.Personal{"name": fmt.Sprintf("Dokter Rekaan %d", i+1), "phone": "0800-000-0000"},
		})
		if err != nil {
			return fmt.Errorf("demo request %d: %w", i+1, err)
		}
		for n, s := range d.steps {
			actor := domain.Actor{ID: fmt.Sprintf("%s-%02d", s.role, 1+i%2), Role: s.role, Capacity: domain.CapacityOfficer}
			if s.role == applicant.Role {
				actor = applicant
			}
			at := day.AddDate(0, 0, n/2).Add(time.Duration(10+4*(n%2))*time.Hour + time.Duration(11*i+3*n)*time.Minute)
			next, err := header(actor, at)
			if err != nil {
				return err
			}
			if _, err := h.engine.Act(ctx, answer.Request.ID, domain.Act{Header: next, Action: s.action, Reason: s.reason}); err != nil {
				return fmt.Errorf("demo request %d, %s: %w", i+1, s.action, err)
			}
		}
	}
	return nil
}
