package main

import (
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// subjectFlags say whose personal data is meant.
type subjectFlags struct {
	stores    stores
	reference string
}

const whose = `
Whose data it is, is told on standard input, so that the number stands in no
list of processes and no history: one line such as nik:, nib: or passport: and
the number. The data of a request that was made without an identity belongs to
that request alone: name it with --request.`

// keysFirst says where keys come from.
const keysFirst = `
It needs the key-encryption key that the data was sealed under (--kek). Before
anything was sealed there is none: alur serve makes it beside a file when it first
runs; for PostgreSQL, alur keys new --kek FILE does.
`

func (o *subjectFlags) add(c *cobra.Command) {
	o.stores.sealing, o.stores.existing = true, true
	o.stores.flags(c)
	o.stores.kekFlag(c)
	c.Flags().StringVar(&o.reference, "request", "", "the `REFERENCE` of a request that was made without an identity")
}

// subject reads whose data is meant.
func (o *subjectFlags) subject(c *cobra.Command, h *house) (domain.SubjectID, error) {
	if o.reference != "" {
		r, err := h.find(c.Context(), o.reference)
		if err != nil {
			return "", err
		}
		return h.vault.Subject(workflows.RequestSubject(r.ID)), nil
	}
	identity, err := identityFrom(c, "whose data")
	if err != nil {
		return "", err
	}
	return h.vault.Subject(string(identity)), nil
}

// identityFrom reads from standard input who somebody is; whoever types it is asked.
func identityFrom(c *cobra.Command, question string) (domain.Identity, error) {
	in := c.InOrStdin()
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		c.PrintErrf("alur: %s? one line, such as nik: and the number: ", question)
	}
	line, err := io.ReadAll(io.LimitReader(in, 200))
	if err != nil {
		return "", err
	}
	return domain.ParseIdentity(strings.TrimSpace(string(line)))
}
