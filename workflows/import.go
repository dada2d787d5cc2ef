package workflows

import (
	"context"
	"errors"
	"fmt"
	"iter"

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
	Punctuality map[string]int `json:"punctuality"` // of the kept cases, by the log's own dates
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

// told is a case that the rules allow, on its way to the log.
type told struct {
	name   string
	append domain.Append
	from   domain.Imported
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
			if err := im.record(ctx, v, &s); err != nil {
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

func (im *Importer) record(ctx context.Context, v verdict, s *ImportSummary) error {
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
	for i, c := range v.told {
		if errs[i] != nil {
			s.Refused = append(s.Refused, RefusedCase{
				Case: c.name, Rule: RuleOtherCase,
				Reason: "a case of this name was imported before, with other events",
			})
			continue
		}
		s.KeptCases++
		s.KeptEvents += len(c.append.Entries) - 1
		if done[i].Repeated {
			s.WereThere++
		}
		if p := c.from.Punctuality(); p != "" {
			s.Punctuality[string(p)]++
		}
	}
	return nil
}
