package main

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/alur-id/alur/adapters/eventstoredb/fakeserver"
	"github.com/alur-id/alur/adapters/keys"
	"github.com/alur-id/alur/adapters/storetest/pgserver"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
	"github.com/alur-id/alur/workflows/erasure"
)

// everyStores makes empty stores of each kind that the program can be given.
var everyStores = map[string]func(testing.TB) stores{
	"a file":                 func(t testing.TB) stores { return stores{db: filepath.Join(t.TempDir(), "alur.db")} },
	"files and EventStoreDB": func(t testing.TB) stores { return stores{db: filepath.Join(t.TempDir(), "alur.db"), log: cluster(t)} },
	"PostgreSQL":             func(t testing.TB) stores { return stores{db: pgserver.Start(t).NewDatabase(t), kek: newKEK(t)} },
	"PostgreSQL and EventStoreDB": func(t testing.TB) stores {
		return stores{db: pgserver.Start(t).NewDatabase(t), log: cluster(t), kek: newKEK(t)}
	},
}

// cluster is where an EventStoreDB answers.
func cluster(t testing.TB) string {
	t.Helper()
	s, err := fakeserver.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s.ConnectionString()
}

func newKEK(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "alur.kek")
	if err := writeRing(path, keys.Ring{keys.NewKEK()}); err != nil {
		t.Fatal(err)
	}
	return path
}

// played is a house in which one person's request was decided and another's is
// open.
func played(t *testing.T, s stores) *house {
	t.Helper()
	s.sealing = true
	quiet := slog.New(slog.DiscardHandler)
	h, err := openHouse(t.Context(), s, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	if err := h.publishSample(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := bench{house: h}
	request := uuid.Nil
	for turn := range len(life) + 2 { // the second life is cut off after two steps
		if request, err = b.step(t.Context(), request, turn); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) faults(t *testing.T, s stores) verified {
	t.Helper()
	open := func(b domain.Box, at domain.Place) error { _, err := h.vault.Open(t.Context(), b, at); return err }
	v, err := verify(t.Context(), h.log, features{gapless: s.log == ""}, looker{how: looked, open: open}, func(f domain.Fault) error { t.Error(faultLine(f)); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A store that has to be there is refused when it is not, and not made; a cluster of
// EventStoreDB has nothing that could be missing.
func TestStoresThatHaveToBeThere(t *testing.T) {
	for _, name := range []string{"a file", "PostgreSQL"} {
		t.Run(name, func(t *testing.T) {
			s := everyStores[name](t)
			s.existing = true
			for range 2 { // the first time made nothing
				if _, _, err := s.openLog(t.Context()); err == nil {
					t.Fatal("it was made")
				}
			}
			s.existing = false
			log, _, err := s.openLog(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
			s.existing = true
			if log, _, err = s.openLog(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := log.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Everything that the program promises, on each kind of stores.
func TestEveryStores(t *testing.T) {
	for name, open := range everyStores {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			h := played(t, s)
			// Tables, indexes and write-ahead logs, whatever has been moved where.
			nothingPlain(t, s.folder(t), "Cut Rekaan", "0800-000-0000", "Jalan yang tidak ada nomor 0", "Berkas diperiksa")
			if v := h.faults(t, s); v.Events != 1+len(life)+2 || v.Boxes != len(life)+2 {
				t.Errorf("%+v", v)
			}
			list, err := h.status.List(t.Context(), projections.Filter{})
			if err != nil || len(list) != 2 || list[0].Outcome != domain.OutcomeApproved || list[1].Outcome != "" {
				t.Fatalf("%+v, %v", list, err)
			}
			steps, err := h.timeline.Of(t.Context(), list[0].Request)
			if err != nil || len(steps) != len(life) {
				t.Errorf("%d steps, %v; want %d", len(steps), err, len(life))
			}
			h.erase(t, list[0])
			h.faults(t, s)
			var refusal *domain.Refusal
			if _, err := h.erasure(t, list[1], domain.GroundSubjectRequest); !errors.As(err, &refusal) || refusal.Rule != domain.RuleRetention {
				t.Errorf("an open request: %v", err)
			}
		})
	}
}

// folder is where the files of the stores are.
func (s stores) folder(t *testing.T) string {
	if isPostgres(s.db) {
		return pgserver.Start(t).Data()
	}
	return filepath.Dir(s.db)
}

// subjectOf is the subject whose data a request holds.
func (h *house) subjectOf(t *testing.T, request uuid.UUID) domain.SubjectID {
	t.Helper()
	r, err := h.engine.Load(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	k, err := h.keys.Get(t.Context(), r.Key)
	if err != nil {
		t.Fatal(err)
	}
	return k.Subject
}

func (h *house) erasure(t *testing.T, s projections.Status, ground domain.Ground) (erasure.Erased, error) {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	return h.eraser().Erase(t.Context(), erasure.Erasure{
		ID: id, Subject: h.subjectOf(t, s.Request), Ground: ground, Note: "letter 1",
		Actor: domain.Actor{ID: "officer-1", Role: "data-protection", Capacity: domain.CapacityOfficer},
	})
}

// erase destroys what is held for a request and checks that it is gone, and that
// nothing else is.
func (h *house) erase(t *testing.T, s projections.Status) {
	t.Helper()
	subject := h.subjectOf(t, s.Request)
	if held, err := h.export(t.Context(), subject, false); err != nil || len(held.Requests) != 1 || len(held.Requests[0].Events) != len(life) {
		t.Errorf("exported %+v, %v", held, err)
	}
	if done, err := h.erasure(t, s, domain.GroundCourtOrder); err != nil || len(done.Erased) != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if err := h.views.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.export(t.Context(), subject, false); err == nil {
		t.Error("there is still something to export")
	}
	r, err := h.engine.Load(t.Context(), s.Request)
	if err != nil || r.Outcome != domain.OutcomeApproved {
		t.Errorf("replayed: %+v, %v", r, err)
	}
}

// A log moves between any two stores, and back, and stays the same log.
func TestCopyBetweenEveryStores(t *testing.T) {
	for name, from := range everyStores {
		for other, to := range everyStores {
			t.Run(name+" to "+other, func(t *testing.T) {
				s, target := from(t), to(t)
				h := played(t, s)
				want := h.faults(t, s).Digest
				c := newLogCopy()
				var errs bytes.Buffer
				c.SetErr(&errs)
				c.SetContext(t.Context())
				v, err := s.copyTo(c, h.log, features{gapless: s.log == ""}, target)
				if err != nil || v.Digest != want {
					t.Errorf("%v, digest %s, want %s\n%s", err, v.Digest, want, errs.String())
				}
			})
		}
	}
}
