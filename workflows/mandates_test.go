package workflows_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// mandateBench is a bench whose service may be asked for by proxies.
type mandateBench struct{ *sealedBench }

func newMandateBench(t *testing.T) mandateBench {
	t.Helper()
	b := mandateBench{newSealedBench(t)}
	b.publish(t, bytes.Replace(example(t), []byte("[self, counter]"), []byte("[self, counter, proxy]"), 1))
	return b
}

func (b mandateBench) grant(t *testing.T, change func(*domain.GrantMandate)) (domain.Mandate, error) {
	t.Helper()
	c := domain.GrantMandate{
		Header: newHeader(t, "front-office"), Tenant: "11.71", Principal: "NIK: 1171 0101 0190 0001",
		MandateGranted: domain.MandateGranted{
			Holder: "agent-1", Services: []string{"sip-dokter"}, From: "2026-11-01", Until: "2026-12-31", Document: strings.Repeat("ab", 32),
		},
	}
	change(&c)
	return b.engine.Grant(t.Context(), c)
}

func (b mandateBench) granted(t *testing.T) domain.Mandate {
	t.Helper()
	m, err := b.grant(t, func(*domain.GrantMandate) {})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (b mandateBench) end(t *testing.T, m domain.Mandate) {
	t.Helper()
	if _, err := b.engine.EndMandate(t.Context(), m.ID, domain.EndMandate{Header: newHeader(t, "front-office"), End: domain.MandateRevoked}); err != nil {
		t.Fatal(err)
	}
}

// under is a header of the agent, who says that they act under a mandate.
func under(t *testing.T, mandate uuid.UUID) domain.Header {
	t.Helper()
	h := newHeader(t, "applicant")
	h.Actor = domain.Actor{ID: "agent-1", Role: "applicant", Capacity: domain.CapacityProxy, Mandate: mandate}
	return h
}

func (b mandateBench) file(t *testing.T, h domain.Header, identity domain.Identity) (workflows.Answer, error) {
	t.Helper()
	s := b.submission(t)
	s.Header, s.Identity = h, identity
	return b.engine.Submit(t.Context(), s)
}

func TestWhatIsDoneUnderAMandateSaysSo(t *testing.T) {
	b := newMandateBench(t)
	m := b.granted(t)
	a, err := b.file(t, under(t, m.ID), nik)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.engine.Act(t.Context(), a.Request.ID, domain.Act{Header: under(t, m.ID), Action: "withdraw"}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for e, err := range domain.Events(b.log.ReadStream(t.Context(), domain.RequestStream(a.Request.ID), 0)) {
		if err != nil {
			t.Fatal(err)
		}
		want := m.ID
		if e.Actor == domain.System() { // what followed by itself
			want = uuid.Nil
		} else {
			n++
		}
		if e.Actor.Mandate != want {
			t.Errorf("version %d is under %s", e.Version, e.Actor.Mandate)
		}
	}
	if n != 2 {
		t.Errorf("%d events of the agent", n)
	}
	again, err := b.engine.Mandate(t.Context(), m.ID)
	if err != nil || again.Holder != "agent-1" || again.End != "" || again.Version != 1 {
		t.Errorf("the mandate is %+v, %v", again, err)
	}
	b.verify(t) // and nothing personal is in the clear
}

func TestWhatAMandateDoesNotCoverIsNotRecorded(t *testing.T) {
	b := newMandateBench(t)
	m := b.granted(t)
	other, err := b.grant(t, func(c *domain.GrantMandate) { c.Principal = "nik:1171010101900002" })
	if err != nil {
		t.Fatal(err)
	}
	ended := b.granted(t)
	b.end(t, ended)
	stranger := under(t, m.ID)
	stranger.Actor.ID = "agent-2"
	self := under(t, m.ID)
	self.Actor.Capacity = domain.CapacitySelf
	for name, c := range map[string]struct {
		h        domain.Header
		identity domain.Identity
		want     domain.Rule
	}{
		"for somebody else":      {under(t, other.ID), nik, domain.RuleMandate},
		"for nobody who is told": {under(t, m.ID), "", domain.RuleMandate},
		"by somebody else":       {stranger, nik, domain.RuleMandate},
		"for themselves":         {self, nik, domain.RuleMandate},
		"after it was ended":     {under(t, ended.ID), nik, domain.RuleMandate},
		"under none":             {under(t, uuid.Must(uuid.NewV7())), nik, domain.RuleMandate},
		"for no identity":        {under(t, m.ID), "nik:1", domain.RuleIdentity},
		"as it is":               {under(t, m.ID), nik, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.file(t, c.h, c.identity)
			if got := ruleOf(err); got != c.want || err != nil && got == "" {
				t.Errorf("refused under %q, want %q: %v", got, c.want, err)
			}
		})
	}
	// What is asked of a request is covered by a mandate of its applicant only.
	own := b.apply(t, nik)
	nameless := b.apply(t, "")
	for name, c := range map[string]struct {
		r domain.Request
		m domain.Mandate
	}{"of somebody else's": {own, other}, "of nobody's": {nameless, m}} {
		if _, err := b.engine.Act(t.Context(), c.r.ID, domain.Act{Header: under(t, c.m.ID), Action: "withdraw"}); ruleOf(err) != domain.RuleMandate {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.clock = time.Date(2026, 12, 31, 17, 0, 0, 0, time.UTC) // midnight in Banda Aceh: its last day is over
	if _, err := b.engine.Act(t.Context(), own.ID, domain.Act{Header: under(t, m.ID), Action: "withdraw"}); ruleOf(err) != domain.RuleMandate {
		t.Errorf("after its last day: %v", err)
	}
	b.clock = b.clock.Add(-time.Second)
	if _, err := b.engine.Act(t.Context(), own.ID, domain.Act{Header: under(t, m.ID), Action: "withdraw"}); err != nil {
		t.Errorf("on its last day: %v", err)
	}
}

// A command that was taken keeps its answer when its mandate ends, and is none the less
// what it was.
func TestACommandUnderAMandateIsAnsweredAgain(t *testing.T) {
	b := newMandateBench(t)
	m := b.granted(t)
	h := under(t, m.ID)
	first, err := b.file(t, h, nik)
	if err != nil {
		t.Fatal(err)
	}
	b.end(t, m)
	b.engine = b.sealing() // one that remembers nothing
	again, err := b.file(t, h, nik)
	if err != nil || !again.Repeated || again.Position != first.Position {
		t.Errorf("again: %+v, %v", again, err)
	}
	h.Actor.Mandate = uuid.Nil
	if _, err := b.file(t, h, nik); ruleOf(err) != domain.RuleCommandReused {
		t.Errorf("the same without the mandate: %v", err)
	}
}

// Of whom it is not known any more who they are, nobody acts for.
func TestAMandateOfSomebodyErased(t *testing.T) {
	b := newMandateBench(t)
	m := b.granted(t)
	key, err := b.vault.Key(t.Context(), b.vault.Subject(nik), domain.MandateClass)
	if err != nil {
		t.Fatal(err)
	}
	erasure := uuid.Must(uuid.NewV7())
	if _, err := b.vault.Mark(t.Context(), erasure, []uuid.UUID{key}); err != nil {
		t.Fatal(err)
	}
	if n, err := b.vault.Destroy(t.Context(), erasure); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if _, err := b.file(t, under(t, m.ID), nik); ruleOf(err) != domain.RuleErased {
		t.Errorf("under it: %v", err)
	}
	if _, err := b.file(t, under(t, b.granted(t).ID), nik); err != nil {
		t.Errorf("under a new one: %v", err)
	}
}

func TestAMandateIsGrantedOnce(t *testing.T) {
	b := newMandateBench(t)
	h := newHeader(t, "front-office")
	same := func(c *domain.GrantMandate) { c.Header = h }
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if m, err := b.grant(t, same); err != nil || m.ID != domain.MandateID(h.ID) {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
	all.Wait()
	if m, err := b.engine.Mandate(t.Context(), domain.MandateID(h.ID)); err != nil || m.Version != 1 {
		t.Errorf("recorded %+v, %v", m, err)
	}
	if _, err := b.grant(t, func(c *domain.GrantMandate) { c.Header, c.Principal = h, "nik:1171010101900002" }); ruleOf(err) != domain.RuleCommandReused {
		t.Errorf("of somebody else, under the same id: %v", err)
	}
	if _, err := b.grant(t, func(c *domain.GrantMandate) { c.Services = []string{"sip-dokter", "sip-doktor"} }); ruleOf(err) != domain.RuleService {
		t.Errorf("for a service that there is not: %v", err)
	}
	if _, err := b.newEngine(nil).Grant(t.Context(), domain.GrantMandate{Header: h}); ruleOf(err) != domain.RulePersonalData {
		t.Errorf("where nothing is sealed: %v", err)
	}
	if _, err := b.engine.Mandate(t.Context(), uuid.Must(uuid.NewV7())); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("one that was not given: %v", err)
	}
}
