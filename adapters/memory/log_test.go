package memory_test

import (
	"testing"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) domain.EventLog { return memory.New(storetest.Now) })
}
