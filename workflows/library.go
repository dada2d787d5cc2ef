package workflows

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/alur-id/alur/domain"
)

// Library holds the published workflow versions. They live in the event log,
// one stream for each workflow of a tenant; the library compiles each version
// once and keeps it, for versions never change. It is safe for concurrent use.
type Library struct {
	log   domain.EventLog
	mu    sync.Mutex
	shelf map[string]*shelf // by stream
}

// shelf is one workflow's versions as far as they were read; version n is at
// index n-1.
type shelf struct {
	asked atomic.Uint64 // how often the newest version was asked for

	mu       sync.Mutex
	looked   uint64 // which of these the log was looked at for
	versions []*Workflow
	hashes   []string
	tip      domain.Tip
}

// NewLibrary returns a library over a log.
func NewLibrary(log domain.EventLog) *Library {
	return &Library{log: log, shelf: map[string]*shelf{}}
}

// Latest returns the newest published version of a service's workflow. The
// error is [domain.ErrNotFound] when none is published.
func (l *Library) Latest(ctx context.Context, tenant domain.TenantCode, service string) (*Workflow, error) {
	s := l.shelfOf(tenant, service)
	asked := s.asked.Add(1)
	// Many ask at the same moment; one look after they asked does for all. Those
	// who are just about to ask come before it.
	runtime.Gosched()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.looked < asked {
		upTo := s.asked.Load()
		if err := l.refresh(ctx, s, domain.WorkflowStream(tenant, service)); err != nil {
			return nil, err
		}
		s.looked = upTo
	}
	if len(s.versions) == 0 {
		l.forget(tenant, service)
		return nil, fmt.Errorf("workflow %s of tenant %s: %w", service, tenant, domain.ErrNotFound)
	}
	return s.versions[len(s.versions)-1], nil
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
	return s.versions[ref.Version-1], nil
}

// Publication is a definition to be made law for new requests.
type Publication struct {
	Tenant     domain.TenantCode
	Source     []byte
	Definition *Definition // of Source
	Actor      domain.Actor
	Why        string
	Occurred   time.Time
	At         time.Time // when it is recorded
}

// Publish makes a definition the newest version of its workflow and returns it.
// Publishing what is the newest version already records nothing and returns
// that version. Requests under older versions are not touched.
func (l *Library) Publish(ctx context.Context, p Publication) (*Workflow, error) {
	if p.Occurred.IsZero() || p.At.IsZero() {
		return nil, fmt.Errorf("publish workflow %s: it is not said when", p.Definition.ID)
	}
	hash := domain.HashOf(string(p.Source))
	stream := domain.WorkflowStream(p.Tenant, p.Definition.ID)
	s := l.shelfOf(p.Tenant, p.Definition.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	const attempts = 8 // against other processes; in this one the shelf is locked
	for range attempts {
		if err := l.refresh(ctx, s, stream); err != nil {
			return nil, err
		}
		n := len(s.versions)
		if n > 0 && s.hashes[n-1] == hash {
			return s.versions[n-1], nil
		}
		version := n + 1
		command := domain.CommandID(p.Occurred, "publish", stream, hash, fmt.Sprint(version))
		a, _, err := domain.Enter(stream, s.tip, p.At, []domain.Event{{
			Envelope: domain.Envelope{
				ID: domain.EventID(command, 0), Tenant: p.Tenant, Service: p.Definition.ID, Office: p.Definition.Office,
				Actor: p.Actor, Workflow: domain.WorkflowRef{ID: p.Definition.ID, Version: version},
				Command: command, Correlation: command, Occurred: p.Occurred.UTC(),
			},
			Body: domain.WorkflowPublished{Source: string(p.Source), Hash: hash, Why: p.Why},
		}})
		if err != nil {
			return nil, fmt.Errorf("publish workflow %s: %w", p.Definition.ID, err)
		}
		_, err = l.log.Append(ctx, a)
		var conflict *domain.ConflictError
		if err != nil && !errors.As(err, &conflict) {
			return nil, fmt.Errorf("publish workflow %s: %w", p.Definition.ID, err)
		}
	}
	return nil, fmt.Errorf("publish workflow %s: others keep publishing it", p.Definition.ID)
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

// refresh reads the versions that were published since the shelf was last read.
func (l *Library) refresh(ctx context.Context, s *shelf, stream string) error {
	for entry, err := range l.log.ReadStream(ctx, stream, domain.Version(len(s.versions))) {
		if err != nil {
			return fmt.Errorf("read %s: %w", stream, err)
		}
		e, err := domain.Decode(entry)
		if err != nil {
			return fmt.Errorf("read %s: %w", stream, err)
		}
		b, ok := e.Body.(domain.WorkflowPublished)
		if !ok {
			return fmt.Errorf("read %s: version %d is a %T, not a publication", stream, e.Version, e.Body)
		}
		if !b.Intact() {
			return fmt.Errorf("read %s: version %d is not the definition that was published: it has another hash", stream, e.Version)
		}
		d, err := Read(fmt.Sprintf("%s@%d", stream, e.Version), []byte(b.Source))
		if err != nil {
			return fmt.Errorf("published workflow does not load: %w", err)
		}
		s.versions = append(s.versions, Compile(d, int(e.Version)))
		s.hashes = append(s.hashes, b.Hash)
		s.tip = entry.Tip()
	}
	return nil
}
