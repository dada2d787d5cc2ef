package memory_test

import (
	"testing"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/storetest"
	"github.com/alur-id/alur/domain"
)

func TestContract(t *testing.T) {
	storetest.Run(t, storetest.Features{Gapless: true}, func(*testing.T) storetest.Log { return memory.New() })
}

func TestKeyContract(t *testing.T) {
	storetest.RunKeys(t, func(*testing.T) domain.KeyStore { return memory.NewKeyStore() })
}
