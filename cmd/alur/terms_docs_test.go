package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

// almanac is the shipped calendar and, once it is decreed, the one with a decree more.
type almanac struct{ list []*calendar.Calendar }

func (a *almanac) Known(context.Context, domain.TenantCode) (*calendar.Calendar, error) {
	return a.list[len(a.list)-1], nil
}

func (a *almanac) KnownAt(ctx context.Context, t domain.TenantCode, _ time.Time) (*calendar.Calendar, error) {
	return a.Known(ctx, t)
}

func (a *almanac) Latest(ctx context.Context, t domain.TenantCode) (*calendar.Calendar, error) {
	return a.Known(ctx, t)
}

func (a *almanac) At(_ context.Context, _ domain.TenantCode, v calendar.Version) (*calendar.Calendar, error) {
	for _, c := range a.list {
		if c.Version() == v {
			return c, nil
		}
	}
	return nil, domain.ErrNotFound
}

// The ledger that docs/agencies/terms.md shows is the one that its story has, by the
// definition that it quotes.
func TestTheStoryOfATermIsTrue(t *testing.T) {
	const tenant = domain.TenantCode("33.14")
	text := readText(t, "docs/agencies/terms.md")
	source, err := os.ReadFile("../../workflows/testdata/clock/sip.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, quoted := range blocks(text, "text")[:2] {
		if !strings.Contains(string(source), quoted) {
			t.Errorf("this is not in the definition:\n%s", quoted)
		}
	}
	d, err := workflows.Read("sip.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	day := func(clock string) time.Time {
		at, err := time.ParseInLocation("2006-01-02 15.04", clock, tenant.Zone())
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	log, days := memory.New(), &almanac{}
	compile := func(decrees ...calendar.Decree) {
		c, err := calendar.Compile(tenant.Zone(), decrees, nil)
		if err != nil {
			t.Fatal(err)
		}
		days.list = append(days.list, c)
	}
	compile()
	now := day("2026-03-01 08.00")
	library := workflows.NewLibrary(log)
	engine := workflows.NewEngine(log, library, workflows.EngineConfig{Now: func() time.Time { return now }, Random: func() uint64 { return 7 }, Calendars: days})
	if _, err := library.Publish(t.Context(), workflows.Publication{
		Tenant: tenant, Source: source, Definition: d, Occurred: now, At: now, Why: "example", Trial: "to be tried",
		Actor: domain.Actor{ID: "admin-1", Role: "admin", Capacity: domain.CapacityOfficer},
	}); err != nil {
		t.Fatal(err)
	}
	head := func(clock, role string) domain.Header {
		now = day(clock)
		capacity := domain.CapacityOfficer
		if role == "applicant" {
			capacity = domain.CapacitySelf
		}
		return domain.Header{ID: uuid.New(), Actor: domain.Actor{ID: role + "-1", Role: domain.RoleID(role), Capacity: capacity}}
	}
	first, err := engine.Submit(t.Context(), domain.Submit{Header: head("2026-03-09 08.30", "applicant"), Tenant: tenant, Service: "sip-mppdn"})
	if err != nil {
		t.Fatal(err)
	}
	id := first.Request.ID
	act := func(c domain.Command) {
		t.Helper()
		if _, err := engine.Act(t.Context(), id, c); err != nil {
			t.Fatal(err)
		}
	}
	act(domain.Act{Header: head("2026-03-10 10.00", "clerk"), Action: "accept"})
	act(domain.Act{Header: head("2026-03-12 11.00", "clerk"), Action: "return", Reason: "unreadable"})
	act(domain.Act{Header: head("2026-03-16 09.00", "applicant"), Action: "resubmit"})
	act(domain.ExtendTerm{Header: head("2026-03-17 09.00", "head"), Term: "decision", Reason: "site-visit"})
	decrees := blocks(text, "yaml")
	decree, err := workflows.ReadDecree("terms.md", []byte(decrees[0]))
	if err != nil {
		t.Fatal(err)
	}
	compile(*decree)
	now = day("2026-03-17 11.00")
	if _, err := engine.Recompute(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	now = day("2026-04-20 08.00")
	for {
		r, err := engine.Load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		term, due, ok := r.Overdue(now)
		if !ok {
			break
		}
		if _, err := engine.Expire(t.Context(), id, term, due); err != nil {
			t.Fatal(err)
		}
	}
	list, err := engine.Ledger(t.Context(), id, days)
	if err != nil {
		t.Fatal(err)
	}
	var lines []ledgerLine
	for _, l := range list {
		if l.Term.Legal() {
			lines = append(lines, printedLine(tenant, l))
		}
	}
	var out bytes.Buffer
	c := &cobra.Command{}
	c.SetOut(&out)
	if err := printLedger(c, lines, false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(blocks(text, "console")[0], "$ alur term show REFERENCE\n"+out.String()); diff != "" {
		t.Errorf("the ledger (-said +is)\n%s", diff)
	}
}
