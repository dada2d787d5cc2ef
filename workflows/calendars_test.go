package workflows_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/calendar"
)

const (
	decreed2027 = "decree: 1\nnumber: SKB 1/2026\ntitle: {id: Libur 2027, en: Holidays 2027}\nsource: invented\npublished: 2026-09-10\ncovers: [2027]\n" +
		"days:\n  - {date: 2027-01-01, kind: holiday, name: {id: Tahun Baru, en: New Year}}\n"
	regional = "decree: 1\nnumber: Perwal 7/2026\ntitle: {id: Hari jadi, en: Anniversary}\nsource: invented\npublished: 2026-10-01\n" +
		"days:\n  - {date: 2026-11-24, kind: regional, name: {id: Hari jadi kota, en: Anniversary of the city}}\n"
)

func addition(t *testing.T, tenant domain.TenantCode, source string) workflows.Addition {
	t.Helper()
	d, err := workflows.ReadDecree("d.yaml", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	return workflows.Addition{
		Tenant: tenant, Source: []byte(source), Decree: d, Occurred: now, At: now, Why: "published",
		Actor: domain.Actor{ID: "admin-1", Role: "administrator", Capacity: domain.CapacityOfficer},
	}
}

func added(t *testing.T, l *workflows.Calendars, tenant domain.TenantCode, source string) workflows.AddedDecree {
	t.Helper()
	d, ok, err := l.Add(t.Context(), addition(t, tenant, source))
	if err != nil || !ok {
		t.Fatalf("added %t, %v", ok, err)
	}
	return d
}

// dueIn is when a working day is due that is filed on Monday 23 November 2026.
func dueIn(t *testing.T, c *calendar.Calendar) string {
	t.Helper()
	due, err := c.Due(calendar.WorkingDays, c.Begins(calendar.WorkingDays, now), calendar.Day)
	if err != nil {
		t.Fatal(err)
	}
	return due.At.Format("2006-01-02 15:04 MST")
}

// A decree counts for its tenant, from when it was recorded; what was known before
// can be asked for.
func TestCalendarsKnowWhatWasRecorded(t *testing.T) {
	ctx, log := t.Context(), memory.New()
	l := workflows.NewCalendars(log)
	before, err := l.Latest(ctx, "11.71")
	if err != nil || before.Known().To.Year() != 2026 {
		t.Fatalf("%v, %v", before, err)
	}
	first := added(t, l, "", decreed2027)
	second := added(t, l, "11.71", regional)
	if first.Version != 1 || second.Version != 1 || first.Position >= second.Position || second.Why != "published" || second.Actor.ID != "admin-1" || !second.At.Equal(now) {
		t.Errorf("recorded as %+v and %+v", first, second)
	}

	for name, l := range map[string]*workflows.Calendars{"the same": l, "another": workflows.NewCalendars(log)} {
		for _, x := range []struct {
			tenant domain.TenantCode
			due    string
			known  int
		}{
			{"11.71", "2026-11-25 16:00 WIB", 2027},
			{"64.72", "2026-11-24 16:00 WITA", 2027},
			{"", "2026-11-24 16:00 WIB", 2027},
		} {
			c, err := l.Latest(ctx, x.tenant)
			if err != nil || dueIn(t, c) != x.due || c.Known().To.Year() != x.known {
				t.Errorf("%s, %q: due %s, known until %s, %v", name, x.tenant, dueIn(t, c), c.Known().To, err)
			}
			if known, err := l.Known(ctx, x.tenant); err != nil || known != c {
				t.Errorf("%s, %q: what is known is another calendar: %v", name, x.tenant, err)
			}
			if again, err := l.At(ctx, x.tenant, c.Version()); err != nil || again != c {
				t.Errorf("%s, %q: its version names another calendar: %v", name, x.tenant, err)
			}
		}
		old, err := l.At(ctx, "11.71", before.Version())
		if err != nil || dueIn(t, old) != "2026-11-24 16:00 WIB" || old.Version() != before.Version() {
			t.Errorf("%s: as it was before: %v", name, err)
		}
		if c, err := l.AsOf(ctx, "11.71", first.Position); err != nil || c.Version().National != 1 || c.Version().Tenant != 0 {
			t.Errorf("%s: as of the first decree: %v, %v", name, c, err)
		}
	}

	// A version that this log does not have, and one whose decrees are others.
	if _, err := l.At(ctx, "11.71", calendar.Version{National: 9}); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a version of nine decrees: %v", err)
	}
	if _, err := l.At(ctx, "11.71", calendar.Version{National: 1, Tenant: 1}); err == nil || errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a version with another digest: %v", err)
	}
}

func TestAddRecordsADecreeOnce(t *testing.T) {
	ctx, log := t.Context(), memory.New()
	l := workflows.NewCalendars(log)
	added(t, l, "", decreed2027)
	head, _ := log.Head(ctx)
	for _, l := range []*workflows.Calendars{l, workflows.NewCalendars(log)} {
		if d, ok, err := l.Add(ctx, addition(t, "", decreed2027)); err != nil || ok || d.Version != 1 {
			t.Errorf("the same again: %+v, added %t, %v", d, ok, err)
		}
	}
	var refused *calendar.Refused
	other := strings.Replace(decreed2027, "2027-01-01", "2027-01-02", 1)
	if _, _, err := l.Add(ctx, addition(t, "", other)); !errors.As(err, &refused) || refused.Hint == "" {
		t.Errorf("another with its number: %v", err)
	}
	for want, spoil := range map[string]func(*workflows.Addition){
		"it is not said why":  func(a *workflows.Addition) { a.Why = " " },
		"it is not said when": func(a *workflows.Addition) { a.At = time.Time{} },
		"NIK":                 func(a *workflows.Addition) { a.Actor.ID = "1171012304900001" },
	} {
		a := addition(t, "11.71", regional)
		spoil(&a)
		if _, _, err := l.Add(ctx, a); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if now, _ := log.Head(ctx); now != head {
		t.Errorf("something was recorded: %d, then %d", head, now)
	}
	if d := added(t, l, "", strings.Replace(other, "covers:", "amends: [SKB 1/2026]\ncovers:", 1)); d.Version != 2 {
		t.Errorf("the amendment is version %d", d.Version)
	}
}

// Several processes add the same decrees at once, and others ask.
func TestAddTogether(t *testing.T) {
	ctx, log := t.Context(), memory.New()
	var all sync.WaitGroup
	var recorded atomic.Int32
	for range 4 {
		l := workflows.NewCalendars(log)
		all.Go(func() {
			for _, source := range []string{decreed2027, strings.Replace(decreed2027, "SKB 1", "SKB 2", 1)} {
				_, isNew, err := l.Add(ctx, addition(t, "", source))
				if err != nil {
					t.Error(err)
				}
				if isNew {
					recorded.Add(1)
				}
			}
		})
		all.Go(func() {
			for range 50 {
				c, err := l.Latest(ctx, "11.71")
				if err != nil || c.Version().National > 2 {
					t.Error(c, err)
				}
			}
		})
	}
	all.Wait()
	list, err := workflows.NewCalendars(log).Decrees(ctx, "")
	if err != nil || len(list) != 2 || recorded.Load() != 2 {
		t.Errorf("%d decrees, %d told as new, %v", len(list), recorded.Load(), err)
	}
}

// contested is a log on which others are faster so many times.
type contested struct {
	*memory.Log
	faster int
}

func (c *contested) Append(ctx context.Context, a domain.Append) (domain.Appended, error) {
	if c.faster--; c.faster >= 0 {
		return domain.Appended{}, &domain.ConflictError{}
	}
	return c.Log.Append(ctx, a)
}

// What is recorded at the last attempt is told as recorded; after that it is given up.
func TestAddGivesUpOnlyWhatIsNotRecorded(t *testing.T) {
	for faster, want := range map[int]bool{0: true, 7: true, 8: false} {
		log := &contested{memory.New(), faster}
		_, isNew, err := workflows.NewCalendars(log).Add(t.Context(), addition(t, "", decreed2027))
		if isNew != want || (err == nil) != want {
			t.Errorf("%d were faster: added %t, %v", faster, isNew, err)
		}
		if list, err := workflows.NewCalendars(log).Decrees(t.Context(), ""); err != nil || (len(list) == 1) != want {
			t.Errorf("%d were faster: %d decrees, %v", faster, len(list), err)
		}
	}
}

// A decree is kept as it was written, its comments too, and shown; so is why it was added.
func TestADecreeIsAboutNobody(t *testing.T) {
	for name, c := range map[string]struct{ was, is, want string }{
		"reason":          {"", "budi@example.org", "the reason looks as if it held an e-mail address"},
		"reason's lines":  {"", "a\nb", "the reason holds a line break after 1 characters"},
		"number":          {"SKB 1/2026", "NIK 1171010101900001", "the decree's number looks as if it held a NIK"},
		"number's screen": {"SKB 1/2026", `"\e[2J"`, "the decree's number holds the control character U+001B"},
		"number's lines":  {"SKB 1/2026", `"SKB\n1/2026"`, "the decree's number holds a line break after 3 characters"},
		"source":          {"invented", "tanya 081234567890", "the decree's source looks as if it held a telephone number"},
		"title":           {"Holidays 2027", "of budi@example.org", "the decree's title in English looks"},
		"a day":           {"New Year", `"New\tYear"`, "the decree's name of 2027-01-01 in English holds a tab"},
		"a comment":       {"covers:", "# ask budi@example.org\ncovers:", "line 6 of the decree looks as if it held an e-mail address"},
	} {
		log := memory.New()
		a := addition(t, "", strings.Replace(decreed2027, c.was, c.is, min(len(c.was), 1)))
		if c.was == "" {
			a.Why = c.is
		}
		_, isNew, err := workflows.NewCalendars(log).Add(t.Context(), a)
		var refusal *domain.Refusal
		if isNew || !errors.As(err, &refusal) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: added %t, %v; want %q", name, isNew, err, c.want)
		}
		if head, err := log.Head(t.Context()); head != 0 || err != nil {
			t.Errorf("%s: %d events, %v", name, head, err)
		}
	}
}

// What is not the decree that was added judges nothing.
func TestCalendarsRefuseWhatWasChanged(t *testing.T) {
	log := memory.New()
	a, _, err := domain.Enter(domain.CalendarStream(""), domain.Tip{}, now, []domain.Event{{
		Envelope: domain.Envelope{Occurred: now},
		Body:     domain.DecreeAdded{Number: "SKB 1/2026", Source: decreed2027, Hash: domain.HashOf("another")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if c, err := workflows.NewCalendars(log).Latest(t.Context(), "11.71"); err == nil || !strings.Contains(err.Error(), "another hash") {
		t.Errorf("%v, %v", c, err)
	}
}

func BenchmarkCalendarsKnown(b *testing.B) {
	l := workflows.NewCalendars(memory.New())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Known(b.Context(), "11.71"); err != nil {
			b.Fatal(err)
		}
	}
}
