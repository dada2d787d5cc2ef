package workflows

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alur-id/alur/domain"
)

// Publication is a definition to be made law for new requests.
type Publication struct {
	Tenant     domain.TenantCode
	File       string // that the findings are told of; the workflow's id, if empty
	Source     []byte
	Definition *Definition // of Source
	Actor      domain.Actor
	Why        string
	Occurred   time.Time
	At         time.Time // when it is recorded
	Effective  time.Time // from when new requests are judged by it; zero: from when it is recorded
	// Clock, if there is one, is asked when the check is done, which may take a
	// while: the answer is then At, and Occurred.
	Clock func() time.Time
	// Waivers let it be published although findings stand against it: one for each.
	Waivers []Waiver
	// Trial is a ground that waives every finding. It is for figures and tests;
	// what an agency publishes is waived one by one.
	Trial string
	// Program is the version of the program that checks.
	Program string
	// History binds imported requests only: it is not checked, and no submission
	// is ever judged by it.
	History bool
}

// Waiver waives one finding. Place, as [Finding.Place] or only its line, says which;
// it may be empty where there is one finding under the rule.
type Waiver struct{ Rule, Place, Ground string }

func (w Waiver) String() string {
	if w.Place == "" {
		return w.Rule
	}
	return w.Rule + "@" + w.Place
}

// covers reports whether a waiver is for a finding.
func (w Waiver) covers(f Finding) bool {
	return w.Rule == f.Rule && (w.Place == "" || w.Place == f.Place() || w.Place == strconv.Itoa(f.Line))
}

// UnfitError says that a definition is not fit to be published, and why.
type UnfitError struct {
	Findings []Finding // that nobody waived
	Failed   Problems  // the definition's own tests
	Waivers  []string  // what is wrong with them
}

func (e *UnfitError) Error() string {
	var why []string
	if n := len(e.Findings); n > 0 {
		why = append(why, fmt.Sprintf("%d findings stand against it", n))
	}
	if n := len(e.Failed); n > 0 {
		why = append(why, fmt.Sprintf("%d of its tests fail", n))
	}
	why = append(why, e.Waivers...)
	return "it is not fit: " + strings.Join(why, "; ")
}

// Publish is [Library.Enact] for those who need not know whether anything was
// recorded.
func (l *Library) Publish(ctx context.Context, p Publication) (*Workflow, error) {
	v, _, err := l.Enact(ctx, p)
	return v.Workflow, err
}

// Enact makes a definition the newest version of its workflow, and tells whether it
// was recorded: what is the newest version already, and was not retired, is not
// recorded again. Requests under older versions are not touched.
//
// The definition must be clean, its tests pass, or each finding be waived, which is
// recorded with it. Errors: [*UnfitError]; [*domain.Refusal] under RuleTime for a
// past moment, and for another than the newest version takes effect at.
func (l *Library) Enact(ctx context.Context, p Publication) (Published, bool, error) {
	if err := p.complete(); err != nil {
		return Published{}, false, fmt.Errorf("publish workflow %s: %w", p.Definition.ID, err)
	}
	stream := domain.WorkflowStream(p.Tenant, p.Definition.ID)
	body := domain.WorkflowPublished{Source: string(p.Source), Hash: domain.HashOf(string(p.Source)), Why: p.Why, History: p.History}
	examined := false
	s := l.shelfOf(p.Tenant, p.Definition.ID)
	s.mu.Lock() // whoever asks in this process for the service that is being published waits
	defer s.mu.Unlock()
	there := 0 // the version that it is already
	appended, err := l.amend(ctx, s, stream, func() (_ *domain.Event, _ time.Time, err error) {
		if there, err = p.there(s.versions, body.Hash); there > 0 || err != nil {
			return nil, p.At, err
		}
		if !examined && !p.History {
			if body.Check, body.Waivers, err = p.examine(); err != nil {
				return nil, p.At, err
			}
			examined = true
		}
		if body.Effective, err = p.dated(); err != nil {
			return nil, p.At, err
		}
		version := len(s.versions) + 1
		command := domain.CommandID(p.Occurred, "publish", stream, body.Hash, fmt.Sprint(version))
		return &domain.Event{Envelope: domain.Envelope{
			ID: domain.EventID(command, 0), Tenant: p.Tenant, Service: p.Definition.ID, Office: p.Definition.Office,
			Actor: p.Actor, Workflow: domain.WorkflowRef{ID: p.Definition.ID, Version: version},
			Command: command, Correlation: command, Occurred: p.Occurred.UTC(),
		}, Body: body}, p.At, nil
	})
	if err != nil {
		return Published{}, false, fmt.Errorf("publish workflow %s: %w", p.Definition.ID, err)
	}
	if appended {
		there = len(s.versions)
	}
	return s.versions[there-1], appended, nil
}

// amend adds to a workflow's stream what propose says of its versions as they are, at
// a moment; nil is nothing. It asks again when another process was faster. The shelf
// is locked.
func (l *Library) amend(ctx context.Context, s *shelf, stream string, propose func() (*domain.Event, time.Time, error)) (appended bool, err error) {
	const attempts = 8
	for range attempts {
		if err := l.refresh(ctx, s, stream); err != nil {
			return false, err
		}
		event, at, err := propose()
		if event == nil || err != nil {
			return false, err
		}
		a, _, err := domain.Enter(stream, s.tip, at, []domain.Event{*event})
		if err != nil {
			return false, err
		}
		_, err = l.log.Append(ctx, a)
		if err == nil {
			return true, l.refresh(ctx, s, stream)
		}
		var conflict *domain.ConflictError
		if !errors.As(err, &conflict) {
			return false, err
		}
	}
	return false, errors.New("others keep changing it")
}

// complete refuses a publication that does not say what has to be recorded.
func (p *Publication) complete() error {
	_, err := p.dated()
	switch {
	case p.Occurred.IsZero() || p.At.IsZero():
		return errors.New("it is not said when")
	case err != nil:
		return err
	}
	for _, w := range p.Waivers {
		if err := domain.CheckClear("the ground of the waiver of "+w.String(), w.Ground); err != nil {
			return err
		}
	}
	return errors.Join(domain.CheckClear("the ground of the waivers", p.Trial), accountable(p.Actor, p.Why))
}

// dated says when it takes effect, and by which clock it is recorded.
func (p *Publication) dated() (time.Time, error) {
	if p.Clock != nil {
		p.At = p.Clock()
		p.Occurred = p.At
	}
	switch {
	case p.Effective.IsZero():
		return p.At.UTC().Truncate(time.Microsecond), nil // as it is recorded
	case p.Effective.Before(p.At):
		return time.Time{}, tooLate("take effect", p.Effective, p.Tenant)
	}
	return p.Effective.UTC(), nil
}

// accountable holds that somebody answers for a change of what the law is.
func accountable(by domain.Actor, why string) error {
	if strings.TrimSpace(why) == "" {
		return errors.New("it is not said why")
	}
	return errors.Join(domain.CheckClear("the reason", why), by.Check())
}

func tooLate(what string, t time.Time, tenant domain.TenantCode) error {
	return domain.NewRefusal(domain.RuleTime, fmt.Sprintf("it would %s at %s, which is past", what, moment(t, tenant)),
		"requests have been judged since by what was in force; leave the date out for now, or name one to come")
}

// moment is a time as the tenant's people read it.
func moment(t time.Time, tenant domain.TenantCode) string {
	return t.In(tenant.Zone()).Format("2006-01-02 15:04 MST")
}

// there is the number of the version that this is already, and need not be again; 0
// where there is none. That is the newest one, if it has this content and is not
// retired. Imported requests stay under what they were imported under before, and a
// version for them is no law.
func (p *Publication) there(list []Published, hash string) (int, error) {
	if p.History {
		for i, v := range slices.Backward(list) {
			if v.History && v.Hash == hash {
				return i + 1, nil
			}
		}
	}
	if len(list) == 0 {
		return 0, nil
	}
	v := &list[len(list)-1]
	switch {
	case v.Hash != hash, v.Retired != nil, v.History:
		return 0, nil
	case !p.History && !p.Effective.IsZero() && !p.Effective.Equal(v.Effective):
		return 0, domain.NewRefusal(domain.RuleTime,
			fmt.Sprintf("this is version %d already, and that takes effect at %s", v.Ref().Version, moment(v.Effective, p.Tenant)),
			"leave the date out, or retire that version first")
	}
	return len(list), nil
}

// examine checks the definition and runs its tests. The error is an [*UnfitError]
// when something stands against it.
func (p *Publication) examine() (*domain.Checked, []domain.Waiver, error) {
	file := p.File
	if file == "" {
		file = p.Definition.ID
	}
	d, findings, err := Check(file, p.Source)
	if err != nil {
		return nil, nil, err
	}
	run := RunTests(file, p.Source, d)
	unfit := &UnfitError{Failed: run.Problems}
	checked := &domain.Checked{Program: p.Program, Findings: len(findings), Tests: run.Passed}
	for _, f := range findings {
		checked.GaveUp = checked.GaveUp || f.Rule == FindingGaveUp
	}
	waivers := p.waive(findings, unfit)
	if len(unfit.Findings)+len(unfit.Failed)+len(unfit.Waivers) > 0 {
		return nil, nil, unfit
	}
	return checked, waivers, nil
}

// waive finds the waiver of each finding. What is left of either is noted.
func (p *Publication) waive(findings []Finding, unfit *UnfitError) []domain.Waiver {
	grounds := make([]string, len(findings))
	for i := range grounds {
		grounds[i] = p.Trial
	}
	for _, w := range p.Waivers {
		var places []string
		at := 0
		for i, f := range findings {
			if w.covers(f) {
				places, at = append(places, Waiver{Rule: f.Rule, Place: f.Place()}.String()), i
			}
		}
		switch {
		case strings.TrimSpace(w.Ground) == "":
			unfit.Waivers = append(unfit.Waivers, fmt.Sprintf("the waiver of %s has no ground", w))
		case len(places) == 0:
			unfit.Waivers = append(unfit.Waivers, fmt.Sprintf("there is no finding %s to waive", w))
		case len(places) > 1:
			unfit.Waivers = append(unfit.Waivers, fmt.Sprintf("there are %d findings %s: waive each by itself, %s", len(places), w, strings.Join(places, ", ")))
		case grounds[at] != "":
			unfit.Waivers = append(unfit.Waivers, fmt.Sprintf("%s is waived twice", w))
		default:
			grounds[at] = strings.TrimSpace(w.Ground)
		}
	}
	var waivers []domain.Waiver
	for i, f := range findings {
		if grounds[i] == "" {
			unfit.Findings = append(unfit.Findings, f)
			continue
		}
		waivers = append(waivers, domain.Waiver{Rule: f.Rule, Place: f.Place(), Finding: f.Message, Ground: grounds[i]})
	}
	return waivers
}

// Place is where a finding is in its file: line:column.
func (f Finding) Place() string { return fmt.Sprintf("%d:%d", f.Line, f.Column) }

// Retirement takes versions out of force.
type Retirement struct {
	Tenant    domain.TenantCode
	Workflow  string
	Versions  []int // none: every version that is not retired yet
	Actor     domain.Actor
	Why       string
	Occurred  time.Time
	At        time.Time // when it is recorded
	Effective time.Time // from when no submission is judged by them; zero: At
}

// Retire takes versions out of force and returns their numbers. Requests that were
// submitted under them go on. What is then in force is the version that took effect
// before, if it is not retired itself. Errors: [domain.ErrNotFound] for a version
// that there is not; [*domain.Refusal] under RuleTime for a past moment, under
// RuleClosed for what is retired already.
func (l *Library) Retire(ctx context.Context, r Retirement) ([]int, error) {
	wrong := func(err error) ([]int, error) {
		return nil, fmt.Errorf("retire workflow %s: %w", r.Workflow, err)
	}
	effective := r.Effective
	switch {
	case r.Occurred.IsZero() || r.At.IsZero():
		return wrong(errors.New("it is not said when"))
	case effective.IsZero():
		effective = r.At.Truncate(time.Microsecond)
	case effective.Before(r.At):
		return wrong(tooLate("be retired", effective, r.Tenant))
	}
	if err := accountable(r.Actor, r.Why); err != nil {
		return wrong(err)
	}
	stream := domain.WorkflowStream(r.Tenant, r.Workflow)
	s := l.shelfOf(r.Tenant, r.Workflow)
	s.mu.Lock()
	defer s.mu.Unlock()
	var which []int
	_, err := l.amend(ctx, s, stream, func() (_ *domain.Event, _ time.Time, err error) {
		if len(s.versions) == 0 {
			l.forget(r.Tenant, r.Workflow)
			return nil, r.At, fmt.Errorf("tenant %s: %w", r.Tenant, domain.ErrNotFound)
		}
		if which, err = r.retirable(s.versions, effective); err != nil {
			return nil, r.At, err
		}
		command := domain.CommandID(r.Occurred, "retire", stream, fmt.Sprint(which), fmt.Sprint(s.tip.Version+1))
		last := s.versions[which[len(which)-1]-1]
		return &domain.Event{Envelope: domain.Envelope{
			ID: domain.EventID(command, 0), Tenant: r.Tenant, Service: r.Workflow, Office: last.Office(),
			Actor: r.Actor, Workflow: last.Ref(), Command: command, Correlation: command, Occurred: r.Occurred.UTC(),
		}, Body: domain.WorkflowRetired{Versions: which, Effective: effective.UTC(), Why: r.Why}}, r.At, nil
	})
	if err != nil {
		return wrong(err)
	}
	return which, nil
}

// retirable lists the versions that would end sooner than they do now.
func (r *Retirement) retirable(list []Published, effective time.Time) ([]int, error) {
	all := len(r.Versions) == 0
	var which []int
	for i := range list {
		v := &list[i]
		n := i + 1
		over := v.Retired != nil && !v.Retired.From.After(effective)
		switch {
		case !all && !slices.Contains(r.Versions, n), all && (over || v.History):
		case v.History:
			return nil, domain.NewRefusal(domain.RuleClosed, fmt.Sprintf("version %d is for imported requests only", n), "no submission is ever judged by it")
		case over:
			return nil, domain.NewRefusal(domain.RuleClosed,
				fmt.Sprintf("version %d is retired already, from %s on", n, moment(v.Retired.From, r.Tenant)), "to open the service again, publish its definition again")
		default:
			which = append(which, n)
		}
	}
	for _, n := range r.Versions {
		if n < 1 || n > len(list) {
			return nil, fmt.Errorf("version %d: %w; there are 1 to %d", n, domain.ErrNotFound, len(list))
		}
	}
	if len(which) == 0 {
		return nil, domain.NewRefusal(domain.RuleClosed, "every version is retired already", "")
	}
	return which, nil
}
