package workflows_test

import (
	"testing"

	"github.com/alur-id/alur/domain"
)

// A command that repeats another in all but what is sealed is another command:
// answered as the first, it would be lost, and its sender told of somebody else's
// request.
func TestACommandWithOtherPersonalDataIsNoRepetition(t *testing.T) {
	b := newSealedBench(t)
	s := b.submission(t)
	s.Identity, s.Form = nik, domain.Personal{"name": "Cut Invented", "children": 2.0}
	first, err := b.engine.Submit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := b.engine.Submit(t.Context(), s); err != nil || !again.Repeated || again.Request.ID != first.Request.ID {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	for name, change := range map[string]func(*domain.Submit){
		"another person": func(s *domain.Submit) { s.Identity = "nik:1171010101900002" },
		"another form":   func(s *domain.Submit) { s.Form = domain.Personal{"name": "Budi Invented", "children": 2.0} },
		"no form":        func(s *domain.Submit) { s.Form = nil },
		"nothing":        func(s *domain.Submit) { s.Identity, s.Form = "", nil },
	} {
		other := s
		change(&other)
		if _, err := b.engine.Submit(t.Context(), other); !isRule(err, domain.RuleCommandReused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	act := domain.Act{Header: newHeader(t, "front-office"), Action: "accept", Remark: "first"}
	if _, err := b.engine.Act(t.Context(), first.Request.ID, act); err != nil {
		t.Fatal(err)
	}
	if again, err := b.engine.Act(t.Context(), first.Request.ID, act); err != nil || !again.Repeated {
		t.Errorf("the same action again: %+v, %v", again, err)
	}
	for _, remark := range []string{"second", ""} {
		act.Remark = remark
		if _, err := b.engine.Act(t.Context(), first.Request.ID, act); !isRule(err, domain.RuleCommandReused) {
			t.Errorf("remark %q: %v", remark, err)
		}
	}
	b.verify(t)
}

func TestNumbersThatWouldBeAlteredAreRefused(t *testing.T) {
	b := newSealedBench(t)
	for _, form := range []domain.Personal{
		{"nik": 9471010101900001.0}, {"list": []any{1.0, map[string]any{"n": -9471010101900001.0}}},
	} {
		s := b.submission(t)
		s.Form = form
		if _, err := b.engine.Submit(t.Context(), s); !isRule(err, domain.RulePersonalData) {
			t.Errorf("%v: %v", form, err)
		}
	}
}
