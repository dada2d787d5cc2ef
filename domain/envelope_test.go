package domain_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/alur-id/alur/domain"
)

func TestDerivedIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		command := domain.CommandID(time.UnixMilli(rapid.Int64Range(0, 1<<47).Draw(t, "ms")), rapid.String().Draw(t, "key"))
		all := map[uuid.UUID]bool{command: true}
		for i := range 5 {
			all[domain.EventID(command, i)] = true
		}
		all[domain.RequestID(command)] = true
		if len(all) != 7 {
			t.Fatalf("7 ids, %d of them different", len(all))
		}
		for id := range all {
			if id.Version() != 7 || id.Variant() != uuid.RFC4122 {
				t.Fatalf("%s has version %s, variant %s", id, id.Version(), id.Variant())
			}
			if [6]byte(id[:6]) != [6]byte(command[:6]) {
				t.Fatalf("%s does not have the time of %s", id, command)
			}
		}
	})
}

func TestCommandIDKeepsItsPartsApart(t *testing.T) {
	if domain.CommandID(noon, "ab", "c") == domain.CommandID(noon, "a", "bc") {
		t.Error("parts run into each other")
	}
	first, again := domain.CommandID(time.Time{}, "a"), domain.CommandID(time.Time{}, "a")
	if first != again {
		t.Error("the same parts gave two ids")
	}
}
