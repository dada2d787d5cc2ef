package memory_test

import (
	"testing"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, storetest.Features{Gapless: true}, func(*testing.T) storetest.Log { return memory.New() })
}
