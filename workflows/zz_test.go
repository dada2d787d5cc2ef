package workflows

import (
	"os"
	"testing"
	"time"
)

func TestZZSlow(t *testing.T) {
	src, err := os.ReadFile(os.Getenv("ZZ"))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	_, f, err := Check("x", src)
	t.Log(len(f), err != nil, time.Since(at))
}
