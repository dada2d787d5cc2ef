// Package migration moves the running requests of a workflow from one of its versions
// to another: it foresees what each would gain or lose, orders it, and moves them one by
// one, so that whoever is interrupted goes on where they were.
package migration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// Running is a request that runs.
type Running struct {
	Request   uuid.UUID
	Reference domain.Reference
}

// Migrator migrates the requests of one log.
type Migrator struct {
	Log     domain.EventLog
	Engine  *workflows.Engine
	Library *workflows.Library
	Now     func() time.Time
	// Running lists the requests that run under a version of a workflow as the log has
	// them when it is called. One that is listed too long is left as it is.
	Running func(ctx context.Context, tenant domain.TenantCode, workflow string, version int) ([]Running, error)
}

// Migration is what is to be done.
type Migration struct {
	Tenant   domain.TenantCode
	From, To *workflows.Workflow
	Map      *workflows.MigrationMap
	Ground   domain.Basis
	Approver string
	Actor    domain.Actor
}

// Prepare reads a map between two published versions. Errors: [workflows.Problems] in
// the map; [domain.ErrNotFound] for a version that there is not; a [*domain.Refusal]
// where no request may be moved to the other version.
func (m *Migrator) Prepare(ctx context.Context, tenant domain.TenantCode, id string, from, to int, file string, source []byte) (*Migration, error) {
	list, err := m.Library.Versions(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	for _, n := range []int{from, to} {
		if n < 1 || n > len(list) {
			return nil, fmt.Errorf("workflow %s version %d of tenant %s: %w; there are 1 to %d", id, n, tenant, domain.ErrNotFound, len(list))
		}
	}
	standing := workflows.Standings(list, m.Now())[to-1]
	switch {
	case from == to:
		return nil, domain.NewRefusal(domain.RuleMigration, "requests are under that version already", "name two versions")
	case standing == workflows.StandingFuture, standing == workflows.StandingRetired, standing == workflows.StandingHistory:
		return nil, domain.NewRefusal(domain.RuleMigration, fmt.Sprintf("version %d is %s: no request is judged by it now", to, standing), "publish it, or wait until it takes effect")
	}
	x := &Migration{Tenant: tenant, From: list[from-1].Workflow, To: list[to-1].Workflow}
	x.Map, err = workflows.ReadMigrationMap(file, source, x.From, x.To)
	return x, err
}

// plan is the map with who answers for it.
func (x *Migration) plan() domain.Plan {
	p := x.Map.Plan
	p.Ground, p.Approver = x.Ground, x.Approver
	return p
}

// concerned lists the requests that are to be moved, and those that the map excepts.
func (m *Migrator) concerned(ctx context.Context, x *Migration) (moved []Running, excepted int, err error) {
	all, err := m.Running(ctx, x.Tenant, x.From.Definition.ID, x.From.Ref().Version)
	if err != nil {
		return nil, 0, err
	}
	moved = slices.DeleteFunc(slices.Clone(all), func(r Running) bool { return !x.Map.Concerns(r.Reference) })
	return moved, len(all) - len(moved), nil
}

// UnfitError says that some requests cannot be migrated. Nothing was recorded.
type UnfitError struct{ Report Report }

func (e *UnfitError) Error() string {
	return fmt.Sprintf("%d of %d requests cannot be migrated", e.Report.Refused, e.Report.Refused+e.Report.Movable)
}

// Done is what came of a migration.
type Done struct {
	Order    uuid.UUID `json:"order"`    // the command that ordered it; zero where that was never done
	Migrated int       `json:"migrated"` // requests that were moved now
	Before   int       `json:"before"`   // that run and that the same order moved before, or another node that carries it out
	Ended    int       `json:"ended"`    // that had ended, or gone elsewhere, when their turn came
	Excepted int       `json:"excepted"` // that the map leaves where they are
	Left     []Refused `json:"left"`     // that were refused although it was foreseen otherwise

	mu     sync.Mutex
	moved  map[uuid.UUID]bool // now
	others bool               // somebody else carries it out, or did
}

// Refused is a request that was not moved.
type Refused struct {
	Reference domain.Reference `json:"reference"`
	Why       string           `json:"why"`
}

// movers is how many requests are moved side by side: they share durable commits.
const movers = 16

// Run moves all requests that the map concerns, or none: it foresees first whether each
// can be. It may be run again, here or on another node, and goes on with what was not
// moved; nothing is recorded twice. What has come back since is moved by another order. Errors: [*UnfitError]; [*domain.Refusal]; after any
// other error, some requests may have been moved.
func (m *Migrator) Run(ctx context.Context, x *Migration) (*Done, error) {
	if err := x.accountable(); err != nil {
		return nil, err
	}
	report, err := m.Forecast(ctx, x)
	if err != nil {
		return nil, err
	}
	if report.Refused > 0 {
		return nil, &UnfitError{report}
	}
	done := &Done{Excepted: report.Excepted, Left: []Refused{}, moved: map[uuid.UUID]bool{}}
	if report.Movable == 0 {
		done.Ended = report.Ended
		order, _, err := m.lastOrder(ctx, x)
		if err != nil || order.Version == 0 {
			return done, err
		}
		done.Order = order.Command
		return done, m.earlier(ctx, x, order, done)
	}
	order, resumed, err := m.order(ctx, x, report.Requests)
	if err != nil {
		return nil, err
	}
	done.Order, done.others = order.Command, resumed
	seen := map[uuid.UUID]bool{}
	for {
		// Requests may have been submitted under the former version meanwhile.
		list, _, err := m.concerned(ctx, x)
		if err != nil {
			return done, err
		}
		list = slices.DeleteFunc(list, func(r Running) bool { return seen[r.Request] })
		if len(list) == 0 && done.others {
			return done, m.earlier(ctx, x, order, done)
		}
		if len(list) == 0 {
			return done, nil
		}
		for _, r := range list {
			seen[r.Request] = true
		}
		if err := m.move(ctx, x, order, list, done); err != nil {
			return done, err
		}
	}
}

// accountable holds that two answer for it, and why.
func (x *Migration) accountable() error {
	switch {
	case x.Ground.ID == "" || x.Ground.EN == "":
		return domain.NewRefusal(domain.RuleMigration, "the migration has no ground", "say which rule it rests on")
	case x.Actor.SamePerson(x.Approver):
		return domain.NewRefusal(domain.RuleFourEyes, "whoever migrates requests may not approve of it", "let somebody else approve")
	}
	approver := x.Actor
	approver.ID = x.Approver
	return errors.Join(x.Ground.CheckClear("the ground"), x.Actor.Check(), approver.Check())
}

func (m *Migrator) move(ctx context.Context, x *Migration, order domain.Recorded, list []Running, done *Done) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	turns := make(chan struct{}, movers)
	for _, r := range list {
		turns <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-turns }()
			if err := m.moveOne(ctx, x, order, r, done); err != nil {
				stop(fmt.Errorf("request %s: %w", r.Reference, err))
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

func (m *Migrator) moveOne(ctx context.Context, x *Migration, order domain.Recorded, r Running, done *Done) error {
	answer, err := m.Engine.Migrate(ctx, r.Request, domain.Migrate{
		Header: domain.Header{ID: moveID(order, r.Request), Actor: order.Actor, Correlation: order.Command},
		Plan:   x.plan(),
	})
	refusal, refused := errors.AsType[*domain.Refusal](err)
	if err != nil && !refused {
		return err
	}
	is := answer.Request
	if refused || answer.Repeated { // then something has come before: what, the request says
		if is, err = m.Engine.Load(ctx, r.Request); err != nil {
			return err
		}
	}
	done.mu.Lock()
	defer done.mu.Unlock()
	switch {
	case !refused && !answer.Repeated:
		done.Migrated++
		done.moved[r.Request] = true
	case movedBy(order, is) && is.Workflow != x.From.Ref():
		done.others = true
	case is.Outcome != "" || is.Workflow != x.From.Ref():
		done.Ended++
	case refused:
		done.Left = append(done.Left, Refused{r.Reference, refusal.Error()})
	default:
		done.Left = append(done.Left, Refused{r.Reference, "it was moved, and has come back since"})
	}
	return nil
}
