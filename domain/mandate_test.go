package domain_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

var (
	principal = domain.Actor{ID: "citizen-1", Role: "applicant", Capacity: domain.CapacitySelf}
	agent     = domain.Actor{ID: "agent-1", Role: "applicant", Capacity: domain.CapacityProxy}
	paper     = strings.Repeat("ab", 32)
)

func grant(by domain.Actor) domain.GrantMandate {
	return domain.GrantMandate{
		Header: domain.Header{ID: id(1), Actor: by, Occurred: noon}, Tenant: "91.71", Principal: "nik:1171010101900001",
		MandateGranted: domain.MandateGranted{
			Holder: agent.ID, Services: []string{"permit", "sip-dokter"}, From: "2026-11-23", Until: "2027-02-28", Document: paper,
		},
	}
}

func ending(n byte, by domain.Actor, end domain.MandateEnd) domain.EndMandate {
	return domain.EndMandate{Header: domain.Header{ID: id(n), Actor: by, Occurred: noon.Add(time.Hour)}, End: end}
}

// mandated is a mandate after commands that have to be taken.
func mandated(t *testing.T, commands ...domain.Command) domain.Mandate {
	t.Helper()
	var m domain.Mandate
	for _, c := range commands {
		events, err := domain.DecideMandate(m, c)
		if err != nil || len(events) != 1 {
			t.Fatal(events, err)
		}
		m = domain.EvolveMandate(m, domain.Recorded{Event: events[0], Version: m.Version + 1})
	}
	return m
}

func ruleOf(err error) domain.Rule {
	var refusal *domain.Refusal
	if errors.As(err, &refusal) {
		return refusal.Rule
	}
	if err != nil {
		return "no refusal"
	}
	return ""
}

func TestWhoMayRecordWhichMandate(t *testing.T) {
	counter := domain.Actor{ID: "counter-1", Role: "counter", Capacity: domain.CapacityCounter}
	fee, none, minus := int64(150_000), int64(0), int64(-1)
	for name, c := range map[string]struct {
		by     domain.Actor
		change func(*domain.GrantMandate)
		want   domain.Rule
	}{
		"an officer, by the paper":       {head, func(*domain.GrantMandate) {}, ""},
		"at the counter, by the paper":   {counter, func(*domain.GrantMandate) {}, ""},
		"whoever gives it":               {principal, func(c *domain.GrantMandate) { c.Document = "" }, ""},
		"for a fee":                      {head, func(c *domain.GrantMandate) { c.Fee = &fee }, ""},
		"for nothing":                    {head, func(c *domain.GrantMandate) { c.Fee = &none }, ""},
		"for less":                       {head, func(c *domain.GrantMandate) { c.Fee = &minus }, domain.RuleMandate},
		"an officer, without a paper":    {head, func(c *domain.GrantMandate) { c.Document = "" }, domain.RuleMandate},
		"a paper that is no hash":        {head, func(c *domain.GrantMandate) { c.Document = "letter 7" }, domain.RuleMandate},
		"a hash in capitals":             {head, func(c *domain.GrantMandate) { c.Document = strings.ToUpper(paper) }, domain.RuleMandate},
		"a proxy":                        {domain.Actor{ID: "agent-2", Role: "applicant", Capacity: domain.CapacityProxy}, func(*domain.GrantMandate) {}, domain.RuleCapacity},
		"the system":                     {domain.System(), func(*domain.GrantMandate) {}, domain.RuleCapacity},
		"to themselves":                  {principal, func(c *domain.GrantMandate) { c.Holder = "Citizen-1" }, domain.RuleMandate},
		"under a mandate":                {domain.Actor{ID: "citizen-1", Role: "applicant", Capacity: domain.CapacitySelf, Mandate: id(7)}, func(*domain.GrantMandate) {}, domain.RuleMandate},
		"to nobody":                      {head, func(c *domain.GrantMandate) { c.Holder = "" }, domain.RuleActor},
		"to a NIK":                       {head, func(c *domain.GrantMandate) { c.Holder = "1171010101900001" }, domain.RulePersonalData},
		"by nobody":                      {head, func(c *domain.GrantMandate) { c.Principal = "" }, domain.RuleIdentity},
		"for nothing that can be asked":  {head, func(c *domain.GrantMandate) { c.Services = nil }, domain.RuleMandate},
		"for the same twice":             {head, func(c *domain.GrantMandate) { c.Services = []string{"permit", "permit"} }, domain.RuleMandate},
		"for one day":                    {head, func(c *domain.GrantMandate) { c.Until = c.From }, ""},
		"from no day":                    {head, func(c *domain.GrantMandate) { c.From = "23-11-2026" }, domain.RuleTime},
		"until before it begins":         {head, func(c *domain.GrantMandate) { c.From, c.Until = "2026-12-02", "2026-12-01" }, domain.RuleTime},
		"that is over":                   {head, func(c *domain.GrantMandate) { c.From, c.Until = "2026-11-01", "2026-11-22" }, domain.RuleTime},
		"for ten years to the day":       {head, func(c *domain.GrantMandate) { c.Until = "2036-11-23" }, ""},
		"for ever":                       {head, func(c *domain.GrantMandate) { c.Until = "2036-11-24" }, domain.RuleTime},
		"by somebody without capacities": {domain.Actor{ID: "x", Role: "y"}, func(*domain.GrantMandate) {}, domain.RuleActor},
	} {
		t.Run(name, func(t *testing.T) {
			g := grant(c.by)
			c.change(&g)
			events, err := domain.DecideMandate(domain.Mandate{}, g)
			if got := ruleOf(err); got != c.want || (len(events) == 1) != (c.want == "") {
				t.Errorf("refused under %q, want %q: %v", got, c.want, err)
			}
		})
	}
}

func TestAMandateIsRecordedOnce(t *testing.T) {
	m := mandated(t, grant(head))
	want := grant(head).MandateGranted
	if d := cmp.Diff(want, m.MandateGranted); d != "" || m.ID != domain.MandateID(id(1)) || m.Tenant != "91.71" || m.Grantor != head || !m.Granted.Equal(noon) {
		t.Errorf("recorded %+v\n%s", m, d)
	}
	if events, err := domain.DecideMandate(m, grant(head)); err != nil || len(events) > 0 {
		t.Errorf("again: %v, %v", events, err)
	}
	for name, change := range map[string]func(*domain.GrantMandate){
		"to somebody else":  func(c *domain.GrantMandate) { c.Holder = "agent-2" },
		"for less":          func(c *domain.GrantMandate) { c.Services = c.Services[:1] },
		"until another day": func(c *domain.GrantMandate) { c.Until = "2027-03-01" },
		"from another day":  func(c *domain.GrantMandate) { c.From = "2026-11-22" },
		"for a fee":         func(c *domain.GrantMandate) { c.Fee = new(int64) },
		"on another paper":  func(c *domain.GrantMandate) { c.Document = strings.Repeat("cd", 32) },
		"elsewhere":         func(c *domain.GrantMandate) { c.Tenant = "11.71" },
		"by somebody else":  func(c *domain.GrantMandate) { c.Actor = clerk },
	} {
		c := grant(head)
		change(&c)
		if _, err := domain.DecideMandate(m, c); ruleOf(err) != domain.RuleCommandReused {
			t.Errorf("%s, under the same id: %v", name, err)
		}
	}
}

func TestWhoMayEndAMandate(t *testing.T) {
	given := mandated(t, grant(head))
	ended := mandated(t, grant(head), ending(2, principal, domain.MandateRevoked))
	for name, c := range map[string]struct {
		m    domain.Mandate
		c    domain.EndMandate
		want domain.Rule
	}{
		"whoever gave it":            {given, ending(2, principal, domain.MandateRevoked), ""},
		"an officer, after a death":  {given, ending(2, head, domain.MandateCeased), ""},
		"whoever holds it":           {given, ending(2, agent, domain.MandateRenounced), ""},
		"the holder, by revoking":    {given, ending(2, agent, domain.MandateRevoked), domain.RuleMandate},
		"the holder, as themselves":  {given, ending(2, domain.Actor{ID: "AGENT-1", Role: "x", Capacity: domain.CapacitySelf}, domain.MandateRevoked), domain.RuleMandate},
		"another proxy":              {given, ending(2, domain.Actor{ID: "agent-2", Role: "applicant", Capacity: domain.CapacityProxy}, domain.MandateRenounced), domain.RuleCapacity},
		"in no known way":            {given, ending(2, head, "regretted"), domain.RuleMandate},
		"whoever holds it, under it": {given, ending(2, domain.Actor{ID: agent.ID, Role: agent.Role, Capacity: agent.Capacity, Mandate: domain.MandateID(id(1))}, domain.MandateRenounced), domain.RuleMandate},
		"twice":                      {ended, ending(3, head, domain.MandateCeased), domain.RuleMandate},
		"what was not given":         {domain.Mandate{}, ending(2, head, domain.MandateRevoked), domain.RuleMandate},
		"the same command, other":    {ended, ending(2, principal, domain.MandateCeased), domain.RuleCommandReused},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := domain.DecideMandate(c.m, c.c); ruleOf(err) != c.want {
				t.Errorf("refused under %q, want %q: %v", ruleOf(err), c.want, err)
			}
		})
	}
	if events, err := domain.DecideMandate(ended, ending(2, principal, domain.MandateRevoked)); err != nil || len(events) > 0 {
		t.Errorf("the same command again: %v, %v", events, err)
	}
	if ended.End != domain.MandateRevoked || ended.Ender != principal || !ended.Ended.Equal(noon.Add(time.Hour)) {
		t.Errorf("ended %+v", ended)
	}
}

func TestWhatAMandateCovers(t *testing.T) {
	given := mandated(t, grant(head)) // of a tenant in WIT, UTC+9: from 22 November 15:00 UTC until 28 February 15:00 UTC
	ended := mandated(t, grant(head), ending(2, principal, domain.MandateRevoked))
	at := func(s string) time.Time {
		moment, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	for name, c := range map[string]struct {
		m       domain.Mandate
		by      domain.Actor
		tenant  domain.TenantCode
		service string
		at      time.Time
		covered bool
	}{
		"its first moment":     {given, agent, "91.71", "permit", at("2026-11-22T15:00:00Z"), true},
		"before it":            {given, agent, "91.71", "permit", at("2026-11-22T14:59:59Z"), false},
		"its last moment":      {given, agent, "91.71", "sip-dokter", at("2027-02-28T14:59:59Z"), true},
		"after it":             {given, agent, "91.71", "sip-dokter", at("2027-02-28T15:00:00Z"), false},
		"another service":      {given, agent, "91.71", "pbg", noon, false},
		"another tenant":       {given, agent, "11.71", "permit", noon, false},
		"somebody else":        {given, domain.Actor{ID: "agent-2"}, "91.71", "permit", noon, false},
		"one of no mandate":    {domain.Mandate{}, domain.Actor{}, "", "", noon, false},
		"after it was revoked": {ended, agent, "91.71", "permit", noon.Add(2 * time.Hour), false},
		"dated back before it": {ended, agent, "91.71", "permit", noon, false},
	} {
		if err := c.m.Covers(c.by, c.tenant, c.service, c.at); (ruleOf(err) == "") != c.covered || ruleOf(err) != "" && ruleOf(err) != domain.RuleMandate {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []struct {
		m    domain.Mandate
		at   time.Time
		over bool
	}{{given, noon, false}, {given, at("2027-02-28T14:59:59Z"), false}, {given, at("2027-02-28T15:00:00Z"), true}, {ended, noon, true}} {
		if got := c.m.Over(c.at); got != c.over {
			t.Errorf("over at %s: %v", c.at, got)
		}
	}
}

// Only who was asked to act for another does so under a mandate.
func TestWhoActsUnderAMandate(t *testing.T) {
	for _, c := range domain.Capacities() {
		err := domain.Actor{ID: "agent-1", Role: "applicant", Capacity: c, Mandate: uuid.UUID{1}}.Check()
		if (err == nil) != (c == domain.CapacityProxy || c == domain.CapacityProfessional) {
			t.Errorf("as %s: %v", c, err)
		}
	}
}

// What somebody recorded under a mandate that does not cover it, past the engine, is
// found.
func TestVerifyFindsWhatAMandateDoesNotCover(t *testing.T) {
	here := grant(head)
	here.Tenant = "11.71"
	given, err := domain.DecideMandate(domain.Mandate{}, here)
	if err != nil {
		t.Fatal(err)
	}
	ended, err := domain.DecideMandate(mandated(t, grant(head)), ending(2, principal, domain.MandateRevoked)) // an hour after noon
	if err != nil {
		t.Fatal(err)
	}
	mandate := domain.MandateID(id(1))
	for name, c := range map[string]struct {
		before []domain.Event
		by     domain.Actor
		at     time.Duration // after noon
		found  bool
	}{
		"covered":                {given, domain.Actor{ID: "agent-1", Mandate: mandate}, 2 * time.Hour, false},
		"as it was ended":        {append(given, ended...), domain.Actor{ID: "agent-1", Mandate: mandate}, time.Hour + 59*time.Second, false},
		"after it was ended":     {append(given, ended...), domain.Actor{ID: "agent-1", Mandate: mandate}, time.Hour + time.Minute, true},
		"by somebody else":       {given, domain.Actor{ID: "agent-2", Mandate: mandate}, 0, true},
		"before it held":         {given, domain.Actor{ID: "agent-1", Mandate: mandate}, -24 * time.Hour, true},
		"under one never given":  {given, domain.Actor{ID: "agent-1", Mandate: domain.MandateID(id(8))}, 0, true},
		"under none is no fault": {given, domain.Actor{ID: "agent-2"}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			request := submitted()
			request.Actor, request.Occurred = c.by, noon.Add(c.at)
			var log []domain.Entry
			enter := func(stream string, events ...domain.Event) {
				a, _, err := domain.Enter(stream, domain.Tip{}, noon, events)
				if err != nil {
					t.Fatal(err)
				}
				log = append(log, a.Entries...)
			}
			enter(domain.MandateStream(mandate), c.before...)
			enter("request-1", request)
			for i := range log {
				log[i].Position = domain.Position(i + 1)
			}
			want := []domain.FaultKind{}
			if c.found {
				want = append(want, domain.FaultMandate)
			}
			if _, kinds := faults(log, nil); !cmp.Equal(kinds, want) {
				t.Errorf("found %v, want %v", kinds, want)
			}
		})
	}
}
