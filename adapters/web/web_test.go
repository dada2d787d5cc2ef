package web

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

func TestMessagesSayTheSameInBothLanguages(t *testing.T) {
	messages, err := readMessages()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(messages["id"])), slices.Sorted(maps.Keys(messages["en"]))); d != "" {
		t.Errorf("keys (-id +en)\n%s", d)
	}
	// Every message is used, and every one that is used exists.
	used := map[string]bool{}
	for _, s := range domain.PublicStatuses() {
		used["public."+string(s)] = true
	}
	for _, g := range append(domain.StopGrounds(), domain.StopClosed) {
		used["stop."+string(g)] = true
	}
	for _, g := range []domain.ExpiryGround{domain.DeemedApproval, domain.DeemedRefusal, domain.Lapse} {
		used["step."+string(g)], used["after."+string(g)] = true, true
	}
	for _, k := range []projections.StepKind{
		projections.StepStarted, projections.StepSuspended, projections.StepResumed, projections.StepExtended, projections.StepRecomputed, projections.StepExpired, projections.StepOwnRecomputed,
		projections.StepMigrated, projections.StepCarried, projections.StepDropped,
	} {
		used["step."+string(k)] = true
	}
	used["value.yes"], used["value.no"] = true, true
	for _, pattern := range []string{"templates/layout.html", "templates/find.html", "templates/status.html", "templates/services.html", "templates/service.html", "templates/message.html", "web.go", "page.go", "term.go", "told.go", "service.go", "waits.go"} {
		b, err := os.ReadFile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?:T\(?|add\() ?"([a-z.]+)"|\["([a-z]+\.[a-z.]+)"\]`).FindAllStringSubmatch(string(b), -1) {
			if key := m[1] + m[2]; !strings.HasSuffix(key, ".") {
				used[key] = true
			}
		}
	}
	for key := range messages["id"] {
		if !used[key] {
			t.Errorf("message %q is not used", key)
		}
	}
	for key := range used {
		if _, ok := messages["id"][key]; !ok {
			t.Errorf("message %q does not exist", key)
		}
	}
}

func TestMomentOf(t *testing.T) {
	at := time.Date(2026, 12, 31, 17, 5, 0, 0, time.UTC)
	for _, c := range []struct {
		tenant     domain.TenantCode
		lang, want string
	}{
		{"11.71", "id", "1 Januari 2027 pukul 00.05 WIB"},
		{"11.71", "en", "1 January 2027 at 00:05 WIB"},
		{"64.72", "id", "1 Januari 2027 pukul 01.05 WITA"},
		{"91.71", "en", "1 January 2027 at 02:05 WIT"},
	} {
		if got := momentOf(at, c.tenant, c.lang); got.Text != c.want {
			t.Errorf("%s in %s: %q, want %q", c.tenant, c.lang, got.Text, c.want)
		}
	}
	if got := momentOf(at, "11.71", "en").Machine; got != "2027-01-01T00:05:00+07:00" {
		t.Errorf("for machines: %s", got)
	}
}
