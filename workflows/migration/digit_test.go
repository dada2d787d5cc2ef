package migration_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/digit"
)

// imported reads a real DIGIT BusinessService and gives it the name of another, of which
// it is a revision.
func imported(t *testing.T, file, service, as string) []byte {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "workflows-digit", file))
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("THE REAL DIGIT SERVICES ARE NOT BESIDE THE CHECKOUT: not tested")
	}
	source = bytes.ReplaceAll(source, []byte(`"`+service+`"`), []byte(`"`+as+`"`))
	in, err := digit.Import(file, source, "")
	if err != nil {
		t.Fatal(err)
	}
	return []byte(in.Definition)
}

// everywhere puts a request into every state in which one runs, by the shortest way.
func everywhere(t *testing.T, b *bench, d *workflows.Definition) map[uuid.UUID]domain.Version {
	t.Helper()
	ways := map[domain.StateID][]workflows.Transition{}
	var queue []domain.StateID
	for _, s := range d.States {
		if s.Kind == workflows.KindStart {
			ways[s.ID] = []workflows.Transition{}
			queue = append(queue, s.ID)
		}
	}
	versions := map[uuid.UUID]domain.Version{}
	for ; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if s, _ := d.State(at); s.Kind == workflows.KindEnd {
			continue
		}
		r := b.submit(d, nil)
		for _, step := range ways[at] {
			var reason domain.ReasonCode
			if len(step.Reasons) > 0 {
				reason = step.Reasons[0]
			}
			b.now = b.now.Add(3 * time.Hour)
			r = b.act(d, r.ID, step.Roles[0], step.Action, reason)
		}
		if r.State != at {
			t.Fatalf("came to %s, not %s", r.State, at)
		}
		versions[r.ID] = r.Version
		for _, tr := range d.Transitions {
			if _, seen := ways[tr.To]; !seen && tr.From[0] == at || !seen && len(tr.From) > 1 && contains(tr.From, at) {
				ways[tr.To] = append(append([]workflows.Transition{}, ways[at]...), tr)
				queue = append(queue, tr.To)
			}
		}
	}
	return versions
}

func contains(list []domain.StateID, s domain.StateID) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// Real revisions. The building permit of Guwahati: two commits of one file
// (BPA_GMDA_GMC-WORKFLOW.json in niua-org/upyog-assam-as, 2025-09-12 and 2025-12-28): a
// state and its action are gone, two states are new, an action has another name. The
// building permit of DIGIT and that of its Assamese fork, where states were removed and
// renamed.
func TestRealRevisionsOfADIGITDefinition(t *testing.T) {
	for name, c := range map[string]struct {
		first, service, second, as string
		id, text                   string
		moved                      map[domain.StateID]domain.StateID
		lost                       string // what an empty map is told
	}{
		"a state removed": {
			first: "BPA-GMDA__1f2b875e5a.json", service: "BPA_GMDA", second: "BPA-GMDA-GMC__8b2170d367.json", as: "BPA_GMDA_GMC", id: "bpa-gmda-gmc",
			text: `
migration: 1
states: {send-to-citizen: citizen-approval}
actions: {send: ~}
`,
			moved: map[domain.StateID]domain.StateID{"send-to-citizen": "citizen-approval"},
			lost:  "send-to-citizen",
		},
		"states removed and renamed": {
			first: "BPA__0fc2b8acda.json", service: "BPA", second: "BPA-LOW__3d96447de7.json", as: "BPA_LOW", id: "bpa-low",
			text: `
migration: 1
states:
  pending-appl-fee-payment: pending-fee-payment
  pending-sanc-fee-payment: {to: pending-fee-payment, as: moved}
`,
			moved: map[domain.StateID]domain.StateID{"pending-appl-fee-payment": "pending-fee-payment", "pending-sanc-fee-payment": "pending-fee-payment"},
			lost:  "pending-appl-fee-payment, pending-sanc-fee-payment",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, memory.New())
			old := b.publish(imported(t, c.first, c.service, c.as))
			versions := everywhere(t, b, old.Definition)
			b.now = b.now.AddDate(0, 0, 1)
			b.publish(imported(t, c.second, c.as, c.as))

			if _, err := b.prepared(c.id, "migration: 1\n"); err == nil || !strings.Contains(err.Error(), c.lost) {
				t.Errorf("an empty map: %v", err)
			}
			x := b.prepare(c.id, c.text)
			report, err := b.migrator().Forecast(t.Context(), x)
			if err != nil {
				t.Fatal(err)
			}
			if report.Movable != len(versions) || report.Refused > 0 || len(versions) < 10 {
				t.Fatalf("%d requests, %+v", len(versions), report)
			}
			done, err := b.migrator().Run(t.Context(), x)
			if err != nil || done.Migrated != len(versions) || len(done.Left) > 0 {
				t.Fatalf("%+v, %v", done, err)
			}
			b.foreseenIs(t, report, versions)
			gone := 0
			for _, f := range report.Requests {
				want, moves := c.moved[f.From]
				if !moves {
					want = f.From
				} else {
					gone++
				}
				if is := b.load(f.Foreseen.Before.ID); is.State != want || is.Workflow.Version != 2 {
					t.Errorf("from %s to %s, want %s, version %d", f.From, is.State, want, is.Workflow.Version)
				}
			}
			if gone != len(c.moved) {
				t.Errorf("%d requests stood in states that are gone, want %d", gone, len(c.moved))
			}
			again, err := b.migrator().Run(t.Context(), x)
			if err != nil || again.Migrated != 0 || again.Before != report.Movable {
				t.Errorf("again: %+v, %v", again, err)
			}
		})
	}
}
