package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/alur-id/alur/adapters/sqlite"
)

// readOnCommand becomes what its second argument says, "nobody" or a process on a
// disk that can only be read, and says how a log can be opened for writing and
// for reading. At each line of input it says where the head is. Its third argument
// is the folder of the log.
func readOnCommand(args []string, out io.Writer) error {
	path := args[0]
	if err := restrict(args[1], args[2]); err != nil {
		return err
	}
	if log, err := sqlite.Open(context.Background(), path); err != nil {
		fmt.Fprintln(out, "write:", err)
	} else {
		fmt.Fprintln(out, "write:", log.Close())
	}
	log, err := sqlite.OpenReadOnly(context.Background(), path)
	fmt.Fprintln(out, "read:", err)
	if err != nil {
		return nil
	}
	defer log.Close()
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		n := 0
		var failed error
		for _, err := range log.ReadAll(context.Background(), 0) {
			if failed = err; err == nil {
				n++
			}
		}
		head, err := log.Head(context.Background())
		fmt.Fprintln(out, "events", n, "head", head, failed, err)
	}
	return nil
}
