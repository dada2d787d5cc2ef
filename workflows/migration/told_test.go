package migration_test

import (
	"testing"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/domain"
)

// Whose request goes on under other rules is told so, with the time that there is now,
// whatever their status is called.
func TestWhoIsMigratedIsToldOfIt(t *testing.T) {
	b := many(t, memory.New(), 2)
	list, err := b.running(t.Context(), tenant, "sip-mppdn", 1)
	if err != nil || len(list) != 2 {
		t.Fatal(len(list), err)
	}
	if done, err := b.migrator().Run(t.Context(), b.prepare("sip-mppdn", renames)); err != nil || done.Migrated != 2 {
		t.Fatal(done, err)
	}
	timed := 0
	for _, r := range list {
		var first domain.Recorded
		for _, e := range b.events(domain.RequestStream(r.Request), 0) {
			if _, ok := e.Body.(domain.RequestMigrated); ok {
				first = e
			}
		}
		told, ok, err := b.engine.Telling(t.Context(), r.Request, first.Version)
		if err != nil || !ok || told.Changed || told.Migrated == nil || told.Migrated.ID == "" {
			t.Fatalf("%v %v %+v", ok, err, told)
		}
		for _, x := range told.Timed {
			timed++
			if due := told.Request.Terms["verdict"].Due; x.Dropped || x.Over || x.Own || x.Stopped != "" || x.Title.IsZero() || !x.Due.Equal(due) {
				t.Errorf("the time for the decision is told as %+v", x)
			}
		}
	}
	if timed != 1 { // of the one for whom it runs
		t.Errorf("told of %d terms", timed)
	}
}
