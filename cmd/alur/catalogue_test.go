package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/catalogue"
)

// citizen carries the commands of a scenario out over the API of a site.
type citizen struct {
	site   *site
	tenant domain.TenantCode
	id     uuid.UUID // of the request
	path   string
}

// Every test in every shipped definition goes the same way when its commands come
// over HTTP and its events go through the log.
func TestTheCatalogueOverHTTP(t *testing.T) {
	var clock atomic.Int64
	published := time.Date(2025, time.December, 1, 0, 0, 0, 0, time.UTC) // before any test begins
	clock.Store(published.UnixNano())
	now := func() time.Time { return time.Unix(0, clock.Load()).UTC() }
	s := newSite(t, func(s *stores) { s.sealing, s.now = true, now })
	entries, err := catalogue.Entries()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		w, err := s.library.Publish(t.Context(), workflows.Publication{
			Tenant: e.Tenant, Source: e.Source, Definition: e.Definition, Occurred: published, At: published,
			Actor: domain.Actor{ID: "alur", Role: "catalogue", Capacity: domain.CapacitySystem}, Why: "to be tried",
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range e.Definition.Tests {
			scenario := &e.Definition.Tests[i]
			t.Run(path.Base(e.Path)+"/"+scenario.Name, func(t *testing.T) {
				c := &citizen{site: s, tenant: e.Tenant}
				cal, err := s.calendars.Known(t.Context(), e.Tenant)
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Play(scenario, cal, func(command domain.Command) (domain.Request, error) {
					clock.Store(command.Head().Occurred.UnixNano())
					return c.carryOut(t, command)
				}); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func (c *citizen) carryOut(t *testing.T, command domain.Command) (domain.Request, error) {
	where, what, body := c.path+"/dossier", "", any(nil)
	actor := command.Head().Actor
	switch x := command.(type) {
	case domain.Expire: // no message from outside: the engine finds it out
		a, err := c.site.engine.Expire(t.Context(), c.id, x.Term, x.Due)
		return a.Request, err
	case domain.OrderSuspension:
		what, body = "suspend", map[string]any{"ground": x.Ground, "reason": x.Reason}
	case domain.LiftSuspension:
		what, body = "lift", struct{}{}
	case domain.ExtendTerm:
		what, body = "extend", map[string]any{"term": x.Term, "reason": x.Reason}
	case domain.ConsentReturn:
		what, body = "consent", map[string]any{"action": x.Action, "reason": x.Reason}
	case domain.Submit:
		where = "/api/v1/requests"
		return c.post(t, where, command, map[string]any{"tenant": c.tenant, "service": x.Service, "facts": x.Facts, "form": x.Form, "actor": actor})
	case domain.Act:
		return c.post(t, c.path+"/actions", command, map[string]any{
			"action": x.Action, "reason": x.Reason, "remark": x.Remark, "facts": x.Facts, "form": x.Form, "actor": actor,
		})
	case domain.Attach:
		what, body = "attach", map[string]any{"document": x.Document, "format": x.Format, "bytes": x.Bytes, "sha256": x.SHA256}
	case domain.RefuseDocument:
		what, body = "refuse_document", map[string]any{"document": x.Document, "reason": x.Reason}
	case domain.AnswerCheck:
		what, body = "check", map[string]any{"checklist": x.Checklist, "item": x.Item, "yes": x.Yes}
	case domain.Pay:
		what, body = "pay", map[string]any{"fee": x.Fee, "amount": x.Amount, "receipt": x.Receipt, "also": duesOf(x.Also)}
	case domain.GiveReview:
		what, body = "review", map[string]any{"review": x.Review, "opinion": x.Opinion, "reason": x.Reason, "remark": x.Remark}
	case domain.ReportAnswer:
		what, body = "answer", map[string]any{"system": x.System, "outcome": x.Outcome}
	case domain.Pick:
		what, body = "pick", struct{}{}
	case domain.Allocate:
		what, body = "allocate", map[string]any{"candidates": x.Candidates, "seed": x.Seed}
	default:
		t.Fatalf("no way to send %T", command)
	}
	return c.post(t, where, command, map[string]any{what: body, "actor": actor})
}

func duesOf(payments []domain.Payment) []map[string]any {
	list := []map[string]any{}
	for _, p := range payments {
		list = append(list, map[string]any{"fee": p.Fee, "amount": p.Amount})
	}
	return list
}

// post sends a command, and returns the request as the log then has it.
func (c *citizen) post(t *testing.T, where string, command domain.Command, body map[string]any) (domain.Request, error) {
	for name, v := range body { // what is empty is left out
		if text := fmt.Sprint(v); text == "" || text == "map[]" {
			delete(body, name)
		}
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.site.URL+where, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", t.Name()+command.Head().ID.String())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Reference domain.Reference
		Code      domain.Rule
		Detail    string
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Code != "" {
		return domain.Request{}, domain.NewRefusal(answer.Code, answer.Detail, "")
	}
	if c.path == "" {
		c.path = "/api/v1/requests/" + string(answer.Reference)
		found, err := c.site.finder.Find(t.Context(), string(answer.Reference))
		if err != nil {
			t.Fatal(err)
		}
		c.id = found.Request
	}
	return c.site.engine.Load(t.Context(), c.id)
}
