package bus

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/alur-id/alur/domain"
)

// What a disabled lane makes its consumer refuse is for debugging, since the lane tells of
// it. Every other error of a handler is told each time.
func TestOnlyADisabledLaneIsNotRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"a disabled lane":         {&failure{err: &Fault{Text: "it is disabled", Err: errDisabled}, held: true}, "DEBUG"},
		"wrapped":                 {fmt.Errorf("event: %w", &failure{err: &Fault{Text: "it is disabled", Err: errDisabled}}), "DEBUG"},
		"a store that is gone":    {&failure{err: fmt.Errorf("append: %w", domain.ErrUnavailable), held: true}, "ERROR"},
		"another fault":           {&failure{err: &Fault{Text: "it is disabled", Err: domain.ErrUnavailable}}, "ERROR"},
		"whatever else it may be": {errors.New("the lane is disabled"), "ERROR"},
	} {
		var said bytes.Buffer
		a := logAdapter{logger: slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))}
		a.Error("Handler returned error", c.err, nil)
		if !strings.Contains(said.String(), "level="+c.want) {
			t.Errorf("%s: %s", name, said.String())
		}
	}
}
