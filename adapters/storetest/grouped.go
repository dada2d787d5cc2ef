package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
)

// GroupingLog is a log that commits appends in groups, and tells how many.
type GroupingLog interface {
	Log
	Grouped(tell func(appends int))
}

// RunGrouped tests that each group is told of before any of its callers is answered, with
// all that it answered.
func RunGrouped(t *testing.T, log GroupingLog) {
	var told []int
	must(t, log, New(t, "before", 0, 1)) // nobody listens yet
	log.Grouped(func(n int) { told = append(told, n) })
	var batch []domain.Append
	for i := range 5 {
		batch = append(batch, New(t, fmt.Sprint("s-", i), 0, 3))
	}
	if _, _, err := log.AppendBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	must(t, log, New(t, "alone", 0, 2))
	var conflict *domain.ConflictError
	if _, err := log.Append(t.Context(), New(t, "alone", 0, 1)); !errors.As(err, &conflict) {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{5, 1, 1}, told); d != "" {
		t.Errorf("groups (-want +got)\n%s", d)
	}
}
