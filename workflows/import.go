package workflows

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/alur-id/alur/domain"
)

// BatchLog is a log that can record many appends in one durable commit.
type BatchLog interface {
	domain.EventLog

	// AppendBatch records appends in their order, each atomic by itself. The
	// i-th error is that of the i-th append: a [*domain.ConflictError] or nil.
	// The last error is about all of them, as that of Append.
	AppendBatch(ctx context.Context, appends []domain.Append) ([]domain.Appended, []error, error)
}

// Importer tells an event log to the engine's rules, case by case. Each case is
// recorded whole, in one append, or not at all. Importing a log again records
// only what is not there yet, so an import that was cut off is simply repeated.
type Importer struct {
	Log    BatchLog
	Engine *Engine
}

// ImportSummary is what an import came to. Cases and Events count what was read.
type ImportSummary struct {
	Cases       int            `json:"cases"`
	Events      int            `json:"events"`
	KeptCases   int            `json:"kept_cases"`
	KeptEvents  int            `json:"kept_events"`
	WereThere   int            `json:"were_there"` // of the kept cases: recorded by an earlier import
	Refused     []RefusedCase  `json:"refused"`
	Punctuality map[string]int `json:"punctuality"` // of the kept cases, by their terms
	Seconds     float64        `json:"seconds"`
	Fault       string         `json:"fault,omitempty"` // why the import ended before the log did
}

// RefusedCase is a case of which nothing was recorded. Event counts from 1; 0
// means the case as a whole.
type RefusedCase struct {
	Case     string      `json:"case"`
	Event    int         `json:"event"`
	Activity string      `json:"activity,omitempty"`
	Rule     domain.Rule `json:"rule"`
	Reason   string      `json:"reason"`
}

// Rules an import can refuse a case by, beside those of the domain.
const (
	RuleNoEvents  domain.Rule = "no_events"
	RuleTooLong   domain.Rule = "too_long"
	RuleOtherCase domain.Rule = "other_case" // the same case was imported with other content
)

// maxCaseEvents is how many events of one case are taken. Deciding looks through
// the commands before, so the time grows with the square: 20,000 take a second.
const maxCaseEvents = 20_000

// told is a case that the rules allow, on its way to the log: what it says, the events
// that it leads to, and the request and its stream after them.
type told struct {
	name     string
	commands []domain.Command
	append   domain.Append
	request  domain.Request
	tip      domain.Tip
}

// batchEvents is how many events one commit of an import holds, or a few more:
// a case is not divided.
const batchEvents = 2000

// Import tells every case of a log, under a workflow. The traces are read in
// another goroutine than they are judged in, and recorded in a third. On an
// error the summary says what was recorded before it.
func (im *Importer) Import(ctx context.Context, tenant domain.TenantCode, w *Workflow, traces iter.Seq2[Trace, error]) (ImportSummary, error) {
	began := im.Engine.now()
	s := ImportSummary{Refused: []RefusedCase{}, Punctuality: map[string]int{}}
	if w.hasTerms {
		cal, err := im.Engine.working.Latest(ctx, tenant)
		if err != nil {
			return s, fmt.Errorf("calendar of tenant %s: %w", tenant, err)
		}
		w = w.On(cal)
	}
	teller, err := newTeller(tenant, w, im.Engine)
	if err != nil {
		return s, err
	}

	group, ctx := errgroup.WithContext(ctx)
	read := make(chan []Trace, 4)
	judged := make(chan verdict, 4)
	var fault error // of the log: what was read before it is whole, and is recorded
	group.Go(func() error {
		defer close(read)
		var err error
		fault, err = readChunks(ctx, traces, read)
		return err
	})
	group.Go(func() error {
		defer close(judged)
		return judge(ctx, teller, read, judged)
	})
	group.Go(func() error {
		for v := range judged {
			if err := im.record(ctx, v, w, &s); err != nil {
				return err
			}
		}
		return nil
	})
	err = group.Wait()
	s.Seconds = im.Engine.now().Sub(began).Seconds()
	return s, errors.Join(err, fault)
}

// Accepts says why cases cannot be told to a definition at all; nil when they can.
func (im *Importer) Accepts(d *Definition) error {
	_, err := newTeller("", Compile(d, 0), im.Engine)
	return err
}

// readChunks hands on the traces a few at a time, and large ones sooner: a channel
// operation for each would cost more than the reading. Fault is what is wrong
// with the log.
func readChunks(ctx context.Context, traces iter.Seq2[Trace, error], out chan<- []Trace) (fault, err error) {
	const most = 1000 // events and attributes
	var list []Trace
	size := 0
	flush := func() error {
		select {
		case out <- list:
			list, size = nil, 0
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for t, err := range traces {
		if err != nil {
			return err, flush()
		}
		list = append(list, t)
		if size += len(t.Events) + len(t.Attributes); size >= most {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
	return nil, flush()
}

// verdict is what became of some cases: those to record, and those refused.
type verdict struct {
	cases, events int
	told          []told
	refused       []RefusedCase
}

func judge(ctx context.Context, t *teller, in <-chan []Trace, out chan<- verdict) error {
	var v verdict
	flush := func() error {
		select {
		case out <- v:
			v = verdict{}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	size := 0
	for list := range in {
		for _, trace := range list {
			v.cases++
			v.events += len(trace.Events)
			one, refused, err := t.tell(ctx, trace)
			if err != nil {
				return err
			}
			if refused != nil {
				v.refused = append(v.refused, *refused)
				continue
			}
			v.told = append(v.told, one)
			if size += len(one.append.Entries); size >= batchEvents {
				size = 0
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

func (im *Importer) record(ctx context.Context, v verdict, w *Workflow, s *ImportSummary) error {
	appends := make([]domain.Append, len(v.told))
	for i, c := range v.told {
		appends[i] = c.append
	}
	done, errs, err := im.Log.AppendBatch(ctx, appends)
	if err != nil {
		return fmt.Errorf("record imported cases: %w", err)
	}
	s.Cases += v.cases
	s.Events += v.events
	s.Refused = append(s.Refused, v.refused...)
	var open []domain.Append
	for i, c := range v.told {
		was := done[i].Repeated
		if errs[i] != nil {
			var recorded domain.Request
			if recorded, was, err = im.there(ctx, c); err != nil {
				return err
			}
			if !was {
				s.Refused = append(s.Refused, RefusedCase{
					Case: c.name, Rule: RuleOtherCase,
					Reason: "a case of this name was imported before, with other events",
				})
				continue
			}
			c.request = recorded
		}
		s.KeptCases++
		s.KeptEvents += len(c.commands) - 1
		if was {
			s.WereThere++
		}
		if p := c.request.Punctuality(); p != "" {
			s.Punctuality[string(p)]++
		}
		late, err := im.late(ctx, c, was, w)
		if err != nil {
			return err
		}
		if len(late.Entries) > 0 {
			open = append(open, late)
		}
	}
	if len(open) == 0 {
		return nil
	}
	// That another was faster, such as a sweeper, is well.
	if _, _, err := im.Log.AppendBatch(ctx, open); err != nil {
		return fmt.Errorf("record terms that have run out: %w", err)
	}
	return nil
}

// there is the request that a case was recorded as, and reports whether all that the case
// says is part of it: it was told before, when its terms came out otherwise, or has gone on
// here.
func (im *Importer) there(ctx context.Context, c told) (r domain.Request, all bool, err error) {
	recorded := map[uuid.UUID]bool{}
	for e, err := range domain.Events(im.Log.ReadStream(ctx, c.append.Stream, 0)) {
		if err != nil {
			return r, false, fmt.Errorf("read what was imported of case %s: %w", c.name, err)
		}
		recorded[e.Command] = true
		r = domain.Evolve(r, e)
	}
	return r, !slices.ContainsFunc(c.commands, func(c domain.Command) bool { return !recorded[c.Head().ID] }), nil
}

// late is what has come since of the terms of a case that is open. It depends on when it
// is told, and so is no part of the case.
func (im *Importer) late(ctx context.Context, c told, was bool, w *Workflow) (domain.Append, error) {
	now := im.Engine.now()
	if _, _, ok := c.request.Overdue(now); !ok {
		return domain.Append{}, nil
	}
	at := loaded{c.request, c.tip}
	if was {
		var err error
		if at, err = im.Engine.read(ctx, c.request.ID, loaded{}); err != nil {
			return domain.Append{}, err
		}
	}
	if at.request.Workflow != w.Ref() {
		return domain.Append{}, nil // a sweeper goes by its own version
	}
	later := course{request: at.request}
	if err := later.until(now, w); err != nil || len(later.events) == 0 {
		return domain.Append{}, err
	}
	a, _, err := domain.Enter(c.append.Stream, at.tip, now, later.events)
	return a, err
}
