package bus_test

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/alur-id/alur/adapters/bus"
)

// What is kept and shown of an error says what kind it is, and no address.
func TestTheReasonIsOfTheInnermostError(t *testing.T) {
	gone := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("to cut@example.test: refused")}
	for want, err := range map[string]error{
		"an error of the kind *errors.errorString": fmt.Errorf("look for sendings: %w", gone),
		"the store cannot be asked":                errors.Join(fmt.Errorf("again: %w", &bus.Fault{Text: "the store cannot be asked", Err: gone}), errors.New("nothing was kept")),
		"an error of the kind *net.DNSError":       errors.Join(errors.Join(&net.DNSError{Err: "cut@example.test"}), gone),
		"":                                         errors.Join(nil, nil),
	} {
		if got := bus.Reason(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
