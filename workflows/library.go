package workflows

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alur-id/alur/domain"
)

// Library holds the published workflow versions. They live in the event log,
// one stream for each workflow of a tenant; the library compiles each version
// once and keeps it, for versions never change. What is in force it asks the log
// each time, so that what another process published or retired holds at once. It is safe for concurrent use.
type Library struct {
	log   domain.EventLog
	mu    sync.Mutex
	shelf map[string]*shelf // by stream
}

// shelf is one workflow's versions as far as they were read; version n is at
// index n-1.
type shelf struct {
	asked atomic.Uint64 // how often what is in force was asked for

	mu       sync.Mutex
	looked   uint64 // which of these the log was looked at for
	versions []Published
	tip      domain.Tip
}

// NewLibrary returns a library over a log.
func NewLibrary(log domain.EventLog) *Library {
	return &Library{log: log, shelf: map[string]*shelf{}}
}

// InForce returns the version that a submission at a moment is judged by. Errors:
// [domain.ErrNotFound] when nothing was ever published; a [*domain.Refusal] under
// RuleClosed when no version is in force then.
func (l *Library) InForce(ctx context.Context, tenant domain.TenantCode, service string, at time.Time) (*Workflow, error) {
	var w *Workflow
	err := l.look(ctx, tenant, service, func(list []Published) error {
		v := inForce(list, at)
		if v == nil {
			return closed(list, tenant, service, at)
		}
		w = v.Workflow
		return nil
	})
	return w, err
}

// Versions lists a workflow's versions, oldest first. The error is
// [domain.ErrNotFound] when there is none.
func (l *Library) Versions(ctx context.Context, tenant domain.TenantCode, id string) ([]Published, error) {
	var versions []Published
	err := l.look(ctx, tenant, id, func(list []Published) error {
		versions = slices.Clone(list)
		return nil
	})
	return versions, err
}

// look shows the versions that the log has now. There is at least one.
func (l *Library) look(ctx context.Context, tenant domain.TenantCode, id string, see func([]Published) error) error {
	s := l.shelfOf(tenant, id)
	asked := s.asked.Add(1)
	// Many ask at the same moment; one look after they asked does for all. Those
	// who are just about to ask come before it.
	runtime.Gosched()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.looked < asked {
		upTo := s.asked.Load()
		if err := l.refresh(ctx, s, domain.WorkflowStream(tenant, id)); err != nil {
			return err
		}
		s.looked = upTo
	}
	if len(s.versions) == 0 {
		l.forget(tenant, id)
		return fmt.Errorf("workflow %s of tenant %s: %w", id, tenant, domain.ErrNotFound)
	}
	return see(s.versions)
}

// Version returns a published version: the one a request is bound to.
func (l *Library) Version(ctx context.Context, tenant domain.TenantCode, ref domain.WorkflowRef) (*Workflow, error) {
	s := l.shelfOf(tenant, ref.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.versions) < ref.Version {
		// A later version that does not load is no reason to refuse this one.
		if err := l.refresh(ctx, s, domain.WorkflowStream(tenant, ref.ID)); err != nil && len(s.versions) < ref.Version {
			return nil, err
		}
	}
	if ref.Version < 1 || len(s.versions) < ref.Version {
		return nil, fmt.Errorf("workflow %s version %d of tenant %s: %w", ref.ID, ref.Version, tenant, domain.ErrNotFound)
	}
	return s.versions[ref.Version-1].Workflow, nil
}

// Owner is the role that has to act in a state by a version, and whether that is the
// applicant; nobody, where there is no such version or state.
func (l *Library) Owner(tenant domain.TenantCode, ref domain.WorkflowRef, state domain.StateID) (domain.RoleID, bool, error) {
	w, err := l.Version(context.Background(), tenant, ref)
	if errors.Is(err, domain.ErrNotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	s, _ := w.State(state)
	return s.Owner, w.Definition.Applicants(&s), nil
}

// Acts is who has to act in a state by a version: the agency, the applicant or another
// agency; the agency, where there is no such version or state.
func (l *Library) Acts(tenant domain.TenantCode, ref domain.WorkflowRef, state domain.StateID) (domain.Holder, error) {
	w, err := l.Version(context.Background(), tenant, ref)
	if errors.Is(err, domain.ErrNotFound) {
		return domain.HeldByAgency, nil
	}
	if err != nil {
		return "", err
	}
	s, _ := w.State(state)
	return w.Definition.actsIn(&s), nil
}

// RecordsEnds reports whether a version says which attribute of an imported case has when it
// ended; not where there is no such version.
func (l *Library) RecordsEnds(tenant domain.TenantCode, ref domain.WorkflowRef) (bool, error) {
	w, err := l.Version(context.Background(), tenant, ref)
	if errors.Is(err, domain.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return w.RecordsEnds(), nil
}

// RecordsEnds reports whether the version says which attribute of an imported case has when
// it ended.
func (w *Workflow) RecordsEnds() bool {
	h := w.Definition.History
	return h != nil && h.Ended != ""
}

func (l *Library) shelfOf(tenant domain.TenantCode, id string) *shelf {
	l.mu.Lock()
	defer l.mu.Unlock()
	stream := domain.WorkflowStream(tenant, id)
	s, ok := l.shelf[stream]
	if !ok {
		s = &shelf{}
		l.shelf[stream] = s
	}
	return s
}

// forget drops a shelf that turned out to be empty: callers may ask for any name.
func (l *Library) forget(tenant domain.TenantCode, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.shelf, domain.WorkflowStream(tenant, id))
}

// refresh reads what was published and retired since the shelf was last read.
func (l *Library) refresh(ctx context.Context, s *shelf, stream string) error {
	for entry, err := range l.log.ReadStream(ctx, stream, s.tip.Version) {
		if err != nil {
			return fmt.Errorf("read %s: %w", stream, err)
		}
		e, err := domain.Decode(entry)
		if err != nil {
			return fmt.Errorf("read %s: %w", stream, err)
		}
		switch b := e.Body.(type) {
		case domain.WorkflowPublished:
			v, err := published(e, b, len(s.versions)+1)
			if err != nil {
				return fmt.Errorf("read %s: %w", stream, err)
			}
			s.versions = append(s.versions, v)
		case domain.WorkflowRetired:
			if s.versions, err = retired(s.versions, e, b); err != nil {
				return fmt.Errorf("read %s: %w", stream, err)
			}
		default:
			return fmt.Errorf("read %s: version %d is a %T, and neither a publication nor its end", stream, e.Version, e.Body)
		}
		s.tip = entry.Tip()
	}
	return nil
}
