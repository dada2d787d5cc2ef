package workflows

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows/calendar"
)

// Calendars holds the working calendars of all tenants. Their decrees live in the
// event log, one stream for the nation and one for each tenant, upon the table that
// is shipped. It is safe for concurrent use.
type Calendars struct {
	log      domain.EventLog
	mu       sync.Mutex
	books    map[domain.TenantCode]*book // "" is the nation
	compiled *lru.Cache[calendarKey, *calendar.Calendar]
}

// keptCalendars is how many calendars are kept, at some 190 KB each: the newest of
// every tenant, and as many that running terms were computed with.
const keptCalendars = 128

type calendarKey struct {
	tenant             domain.TenantCode
	national, ofTenant int
}

// book is the decrees of one stream as far as they were read; version n is at index
// n-1.
type book struct {
	asked atomic.Uint64 // how often the newest was asked for

	mu      sync.Mutex
	looked  uint64 // which of these the log was looked at for
	read    bool   // the log was looked at
	decrees []AddedDecree
	tip     domain.Tip
}

// AddedDecree is a decree as it was recorded.
type AddedDecree struct {
	Decree   calendar.Decree
	Hash     string // of its source
	Why      string
	Version  domain.Version // its number in the stream
	Position domain.Position
	Actor    domain.Actor
	At       time.Time // when it was recorded
}

// NewCalendars returns the calendars of a log.
func NewCalendars(log domain.EventLog) *Calendars {
	compiled, err := lru.New[calendarKey, *calendar.Calendar](keptCalendars)
	if err != nil {
		panic(err) // a size that is not positive
	}
	return &Calendars{log: log, books: map[domain.TenantCode]*book{}, compiled: compiled}
}

// Latest is the calendar of a tenant as it is known now. It looks at the log. Here and
// below, tenant "" is the nation, in WIB.
func (l *Calendars) Latest(ctx context.Context, tenant domain.TenantCode) (*calendar.Calendar, error) {
	return l.made(ctx, tenant, (*Calendars).newest)
}

// Known is the calendar of a tenant as it was known when the log was last looked at,
// by anybody here; the first time it looks. It costs next to nothing.
func (l *Calendars) Known(ctx context.Context, tenant domain.TenantCode) (*calendar.Calendar, error) {
	return l.made(ctx, tenant, (*Calendars).seen)
}

// At is the calendar of a tenant that a version names: the one that a due time was
// computed with. The error is [domain.ErrNotFound] when the log has not so many
// decrees. That what they make is not what the version says is an error too.
func (l *Calendars) At(ctx context.Context, tenant domain.TenantCode, v calendar.Version) (*calendar.Calendar, error) {
	c, err := l.of(ctx, tenant, v.National, v.Tenant)
	if err == nil && c.Version() != v {
		return nil, fmt.Errorf("calendar %s of tenant %s: from its decrees and the table of this program comes %s", v, tenant, c.Version())
	}
	return c, err
}

// AsOf is the calendar of a tenant as it was known at a position of the log.
func (l *Calendars) AsOf(ctx context.Context, tenant domain.TenantCode, position domain.Position) (*calendar.Calendar, error) {
	return l.until(ctx, tenant, func(d AddedDecree) bool { return d.Position > position })
}

// KnownAt is the calendar of a tenant as it was known at a moment: of the decrees that
// were recorded by then.
func (l *Calendars) KnownAt(ctx context.Context, tenant domain.TenantCode, at time.Time) (*calendar.Calendar, error) {
	return l.until(ctx, tenant, func(d AddedDecree) bool { return d.At.After(at) })
}

// until is the calendar of the decrees before the first that came too late.
func (l *Calendars) until(ctx context.Context, tenant domain.TenantCode, late func(AddedDecree) bool) (*calendar.Calendar, error) {
	return l.made(ctx, tenant, func(l *Calendars, ctx context.Context, tenant domain.TenantCode) ([]AddedDecree, error) {
		list, err := l.newest(ctx, tenant)
		if i := slices.IndexFunc(list, late); i >= 0 {
			list = list[:i]
		}
		return list, err
	})
}

// Decrees is what was recorded for a tenant, or for the nation if it is "", in order.
func (l *Calendars) Decrees(ctx context.Context, tenant domain.TenantCode) ([]AddedDecree, error) {
	return l.newest(ctx, tenant)
}

// made compiles what a way of asking finds for the nation and the tenant.
func (l *Calendars) made(ctx context.Context, tenant domain.TenantCode, ask func(*Calendars, context.Context, domain.TenantCode) ([]AddedDecree, error)) (*calendar.Calendar, error) {
	national, err := ask(l, ctx, "")
	if err != nil {
		return nil, err
	}
	var own []AddedDecree
	if tenant != "" {
		if own, err = ask(l, ctx, tenant); err != nil {
			return nil, err
		}
	}
	return l.compile(tenant, national, own)
}

// of is the calendar of the first so many decrees.
func (l *Calendars) of(ctx context.Context, tenant domain.TenantCode, national, ofTenant int) (*calendar.Calendar, error) {
	if c, ok := l.compiled.Get(calendarKey{tenant, national, ofTenant}); ok {
		return c, nil
	}
	nation, err := l.first(ctx, "", national)
	if err != nil {
		return nil, err
	}
	own, err := l.first(ctx, tenant, ofTenant)
	if err != nil {
		return nil, err
	}
	return l.compile(tenant, nation, own)
}

func (l *Calendars) first(ctx context.Context, tenant domain.TenantCode, n int) ([]AddedDecree, error) {
	list, err := l.seen(ctx, tenant)
	if err == nil && len(list) < n {
		list, err = l.newest(ctx, tenant)
	}
	if err != nil {
		return nil, err
	}
	if n < 0 || len(list) < n {
		return nil, fmt.Errorf("%s: %d decrees, of which there are %d: %w", domain.CalendarStream(tenant), n, len(list), domain.ErrNotFound)
	}
	return list[:n], nil
}

func (l *Calendars) compile(tenant domain.TenantCode, national, own []AddedDecree) (*calendar.Calendar, error) {
	key := calendarKey{tenant, len(national), len(own)}
	if c, ok := l.compiled.Get(key); ok {
		return c, nil
	}
	c, err := calendar.Compile(tenant.Zone(), decreesOf(national), decreesOf(own))
	if err != nil {
		return nil, fmt.Errorf("calendar of tenant %s: %w", tenant, err)
	}
	l.compiled.Add(key, c)
	return c, nil
}

func decreesOf(list []AddedDecree) []calendar.Decree {
	out := make([]calendar.Decree, len(list))
	for i, d := range list {
		out[i] = d.Decree
	}
	return out
}

func (l *Calendars) book(tenant domain.TenantCode) *book {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.books[tenant]
	if !ok {
		b = &book{}
		l.books[tenant] = b
	}
	return b
}

// newest looks at the log and returns the decrees of a tenant.
func (l *Calendars) newest(ctx context.Context, tenant domain.TenantCode) ([]AddedDecree, error) {
	b := l.book(tenant)
	asked := b.asked.Add(1)
	runtime.Gosched() // one look does for all who ask at this moment, as in [Library.Latest]
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.looked < asked {
		upTo := b.asked.Load()
		if err := l.refresh(ctx, b, domain.CalendarStream(tenant)); err != nil {
			return nil, err
		}
		b.looked = upTo
	}
	return b.decrees, nil
}

// seen is what was read already; the first time it looks at the log.
func (l *Calendars) seen(ctx context.Context, tenant domain.TenantCode) ([]AddedDecree, error) {
	b := l.book(tenant)
	b.mu.Lock()
	read, list := b.read, b.decrees
	b.mu.Unlock()
	if read {
		return list, nil
	}
	return l.newest(ctx, tenant)
}

// refresh reads the decrees that were added since the book was last read.
func (l *Calendars) refresh(ctx context.Context, b *book, stream string) error {
	for entry, err := range l.log.ReadStream(ctx, stream, domain.Version(len(b.decrees))) {
		if err != nil {
			return fmt.Errorf("read %s: %w", stream, err)
		}
		e, err := domain.Decode(entry)
		if err != nil {
			return fmt.Errorf("read %s: %w", stream, err)
		}
		body, ok := e.Body.(domain.DecreeAdded)
		if !ok {
			return fmt.Errorf("read %s: version %d is a %T, not a decree", stream, e.Version, e.Body)
		}
		if !body.Intact() {
			return fmt.Errorf("read %s: version %d is not the decree that was added: it has another hash", stream, e.Version)
		}
		d, err := ReadDecree(fmt.Sprintf("%s@%d", stream, e.Version), []byte(body.Source))
		if err != nil {
			return fmt.Errorf("recorded decree does not load: %w", err)
		}
		b.decrees = append(b.decrees, AddedDecree{
			Decree: *d, Hash: body.Hash, Why: body.Why, Version: e.Version, Position: e.Position, Actor: e.Actor, At: e.At,
		})
		b.tip = entry.Tip()
	}
	b.read = true
	return nil
}
