package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCheck(t *testing.T) {
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer s.Close()
	if err := check([]string{s.URL}); err != nil {
		t.Error(err)
	}
	status = http.StatusServiceUnavailable
	for _, args := range [][]string{{s.URL}, nil, {"http://127.0.0.1:0/"}, {"\x00"}} {
		if err := check(args); err == nil {
			t.Errorf("%q is healthy", args)
		}
	}
}
