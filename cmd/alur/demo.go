package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// demoStep is one action of a played request, or one review of it. Before the file
// is declared complete, the applicant hands in what it needs.
type demoStep struct {
	action domain.ActionID
	role   domain.RoleID
	reason domain.ReasonCode
	review domain.ReviewID // an opinion: against it, if there is a reason
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
		{action: "accept", role: "front-office"},
		{review: "registration", role: "verifier"},
		{review: "health", role: "health-office"},
		{action: "assign-number", role: "licensing"},
		{action: "sign", role: "head"},
		{action: "issue", role: "licensing"},
	}},
	{daysAgo: 11, kind: "renewal", steps: []demoStep{
		{action: "accept", role: "front-office"},
		{review: "registration", role: "verifier", reason: "three-places"},
		{action: "refuse", role: "head", reason: "three-places"},
	}},
	{daysAgo: 9, kind: "new", steps: []demoStep{
		{action: "return", role: "front-office", reason: "photo-unsuitable"},
		{action: "withdraw", role: "applicant"},
	}},
	{daysAgo: 6, kind: "new", counter: true, steps: []demoStep{
		{action: "return", role: "front-office", reason: "str-missing"},
		{action: "resubmit", role: "applicant"},
		{action: "accept", role: "front-office"},
		{review: "health", role: "health-office"},
		{review: "registration", role: "verifier"},
		{action: "assign-number", role: "licensing"},
	}},
	{daysAgo: 4, kind: "renewal", steps: []demoStep{{action: "accept", role: "front-office"}}},
	{daysAgo: 3, kind: "new", steps: []demoStep{{action: "return", role: "front-office", reason: "skp-missing"}}},
	{daysAgo: 1, kind: "new"},
}

// demoDocuments are what any of the requests may need.
var demoDocuments = []domain.DocumentID{"str", "place-statement", "photo", "skp-statement", "other-licences"}

// demoPlayer plays one of the demo's requests.
type demoPlayer struct {
	*house
	applicant domain.Actor
	form      domain.Personal
	request   uuid.UUID
	handedIn  bool
}

// submit hands the request in.
func (p *demoPlayer) submit(ctx context.Context, n int, at time.Time) error {
	header, err := newHeaderAt(p.applicant, at)
	if err != nil {
		return err
	}
	answer, err := p.engine.Submit(ctx, domain.Submit{
		Header: header, Tenant: "11.71", Service: "sip-dokter", Form: p.form,
		// No day is the 99th: this is nobody's number.
		Identity: domain.Identity(fmt.Sprintf("nik:11719999990000%02d", n)),
	})
	p.request = answer.Request.ID
	return err
}

// step takes one step, and what comes before it: documents, before a file comes back or is
// declared complete.
func (p *demoPlayer) step(ctx context.Context, s demoStep, actor domain.Actor, at time.Time) error {
	if (s.action == "accept" || s.action == "resubmit") && !p.handedIn {
		p.handedIn = true
		for _, d := range demoDocuments {
			header, err := newHeaderAt(p.applicant, at.Add(-time.Hour))
			if err != nil {
				return err
			}
			hash := sha256.Sum256([]byte(d))
			c := domain.Attach{Header: header, Document: d, Format: "jpg", Bytes: 100_000, SHA256: hex.EncodeToString(hash[:])}
			if _, err := p.engine.Act(ctx, p.request, c); err != nil {
				return fmt.Errorf("%s: %w", d, err)
			}
		}
	}
	header, err := newHeaderAt(actor, at)
	if err != nil {
		return err
	}
	var c domain.Command
	switch {
	case s.review != "" && s.reason != "":
		c = domain.GiveReview{Header: header, Review: s.review, Opinion: domain.OpinionRefused, Reason: s.reason}
	case s.review != "":
		c = domain.GiveReview{Header: header, Review: s.review, Opinion: domain.OpinionApproved}
	case s.action == "resubmit":
		c = domain.Act{Header: header, Action: s.action, Form: p.form}
	default:
		c = domain.Act{Header: header, Action: s.action, Reason: s.reason}
	}
	_, err = p.engine.Act(ctx, p.request, c)
	return err
}

func newHeaderAt(a domain.Actor, at time.Time) (domain.Header, error) {
	id, err := uuid.NewV7()
	return domain.Header{ID: id, Actor: a, Occurred: at}, err
}

// playDemo submits the demo's requests in the morning of their day and takes
// their steps, one in the morning and one in the afternoon.
func (h *house) playDemo(ctx context.Context, now time.Time) error {
	today := now.In(domain.TenantCode("11.71").Zone())
	for i, d := range demoRequests {
		day := time.Date(today.Year(), today.Month(), today.Day()-d.daysAgo, 0, 0, 0, 0, today.Location())
		p := demoPlayer{house: h, applicant: domain.Actor{ID: fmt.Sprintf("applicant-%02d", i+1), Role: "applicant", Capacity: domain.CapacitySelf}}
		if d.counter {
			p.applicant = domain.Actor{ID: "counter-01", Role: "applicant", Capacity: domain.CapacityCounter}
		}
		p.form = domain.Personal{
			"kind": d.kind, "profession": "doctor", "practice_place": float64(1 + i%3),
			"name": fmt.Sprintf("Dokter Rekaan %d", i+1), "nik": fmt.Sprintf("11719999990000%02d", i+1), "phone": "0800-000-0000",
			"str_number": "STR-0", "practice_name": "Klinik Rekaan", "practice_address": "Jalan Tanpa Nomor, Banda Aceh",
		}
		if err := p.submit(ctx, i+1, day.Add(8*time.Hour+time.Duration(7*i)*time.Minute)); err != nil {
			return fmt.Errorf("demo request %d: %w", i+1, err)
		}
		for n, s := range d.steps {
			actor := domain.Actor{ID: fmt.Sprintf("%s-%02d", s.role, 1+i%2), Role: s.role, Capacity: domain.CapacityOfficer}
			if s.role == p.applicant.Role {
				actor = p.applicant
			}
			at := day.AddDate(0, 0, n/2).Add(time.Duration(10+4*(n%2))*time.Hour + time.Duration(11*i+3*n)*time.Minute)
			if err := p.step(ctx, s, actor, at); err != nil {
				return fmt.Errorf("demo request %d, %s%s: %w", i+1, s.action, s.review, err)
			}
		}
	}
	return nil
}
