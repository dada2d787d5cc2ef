package workflows

import "testing"

// A condition that certainly waits for what somebody else does is no way for one alone.
func TestAloneUnderAConditionOnOthers(t *testing.T) {
	for name, c := range map[string]struct {
		when  string
		alone bool
	}{
		"nothing":                        {`facts.n > 0.0`, true},
		"an opinion of another":          {`history.review("other") == "approved"`, false},
		"an opinion and a fact":          {`facts.n > 0.0 && history.review("other") == "approved"`, false},
		"an opinion or a fact":           {`facts.n > 0.0 || history.review("other") == "approved"`, true},
		"not without an opinion":         {`!(history.review("other") != "approved")`, false},
		"no refusal":                     {`history.review("other") != "refused"`, true},
		"an opinion of their own":        {`history.review("fire") == "approved"`, true},
		"an action of another":           {`history.did("look")`, false},
		"an action of another not taken": {`!history.did("look")`, true},
		"an action of another, counted":  {`history.times("look") >= 1`, false},
		"an action of another, or never": {`history.times("look") >= 0`, true},
		"an action of their own":         {`history.did("pass")`, true},
		"what follows by itself":         {`history.did("opined")`, true},
		"a fee":                          {`history.paid("fee")`, true},
		"a paper of citizens":            {`history.attached("deed")`, true},
	} {
		t.Run(name, func(t *testing.T) {
			source := changed(t, append(headAlone(""), "roles: {id: looker, title: {id: L, en: L}, capacities: [officer]}",
				"reviews: {id: other, title: {id: O, en: O}, role: looker, reasons: [law]}", "reviews: [fire], title => reviews: [fire, other], join: {need: any}, title",
				action("look"), "transitions: {action: look, from: [signing], to: signing, roles: [looker]}", "to: issued, roles: [head]} => to: issued, roles: [head], when: '"+c.when+"'}")...)
			if got := finds(t, source, FindingAlone); got != c.alone {
				t.Errorf("found alone: %v", got)
			}
		})
	}
}
