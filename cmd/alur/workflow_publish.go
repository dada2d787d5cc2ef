package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// enactment is what the verbs that change the law are told.
type enactment struct {
	stores             stores
	tenant, by, reason string
	effective          moment
	code               domain.TenantCode
	from               time.Time // effective, read; zero is now
	asJSON             bool
}

func (o *enactment) flags(c *cobra.Command) {
	o.stores.flags(c)
	jsonFlag(c, &o.asJSON)
	c.Flags().StringVar(&o.tenant, "tenant", "", "tenant `CODE`, such as 11.71")
	c.Flags().StringVar(&o.by, "by", "", "`WHO` answers for it: a pseudonym, kept in the clear for ever")
	c.Flags().StringVar(&o.reason, "reason", "", "`WHY`, such as the decree; kept in the clear for ever")
	momentFlag(c, &o.effective, "effective", "from when it holds (default now): "+momentForms+"; a date is its first moment there")
	required(c, "tenant", "by", "reason")
}

func (o *enactment) read() (err error) {
	if o.code, err = domain.ParseTenantCode(o.tenant); err != nil {
		return err
	}
	o.from, err = o.effective.in(o.code.Zone())
	return err
}

func (o *enactment) actor() domain.Actor {
	return domain.Actor{ID: o.by, Role: "publisher", Capacity: domain.CapacityOfficer}
}

func newWorkflowPublish() *cobra.Command {
	var o enactment
	var waive []string
	var waivers []workflows.Waiver
	c := &cobra.Command{
		Use:   "publish FILE",
		Short: "Make a definition the law for new requests, at once or from a date",
		Long: `Publish checks a definition, runs its own tests, and records it as the newest version
of its workflow, with who published it and why. From its effective date on, new
requests are judged by it; those that were submitted before go on under the version
they were submitted under.

Nothing is published while a test fails or a finding of alur workflow check stands
against it (exit code 3). A finding is waived by its rule, and by its place where
there are several, with a ground; each waiver is recorded with the version. What is
the newest version already is not published again.

A SQLite log has one writing process: stop alur serve first.`,
		Example: `  alur workflow publish sip-dokter.yaml --tenant 11.71 --by legal-1 --reason "Perwal 7/2026" --effective 2027-01-01
  alur workflow publish permit.yaml --tenant 11.71 --by legal-1 --reason trial --waive standard="being written" --waive term@14:5="no work is done there"`,
		Args: func(c *cobra.Command, args []string) error {
			for _, w := range waive {
				what, ground, found := strings.Cut(w, "=")
				if !found || strings.TrimSpace(ground) == "" {
					return fmt.Errorf("--waive %q: want RULE=GROUND or RULE@LINE:COLUMN=GROUND", w)
				}
				rule, place, _ := strings.Cut(what, "@")
				waivers = append(waivers, workflows.Waiver{Rule: rule, Place: place, Ground: ground})
			}
			return errors.Join(cobra.ExactArgs(1)(c, args), o.read())
		},
		RunE: func(c *cobra.Command, args []string) error { return publish(c, args[0], o, waivers) },
	}
	o.flags(c)
	c.Flags().StringArrayVar(&waive, "waive", nil, "`RULE[@PLACE]=GROUND`: publish although this finding stands against it; once for each")
	return c
}

func publish(c *cobra.Command, file string, o enactment, waivers []workflows.Waiver) error {
	d, source, err := readDefinition(file)
	if err != nil {
		return err
	}
	var v workflows.Published
	var appended bool
	enact := func(ctx context.Context, l *workflows.Library) (err error) {
		v, appended, err = l.Enact(ctx, workflows.Publication{
			Tenant: o.code, File: file, Source: source, Definition: d, Actor: o.actor(), Why: o.reason,
			Clock: time.Now, Effective: o.from, Waivers: waivers, Program: programVersion(),
		})
		return err
	}
	err = o.stores.rehearsed(c, func(log domain.EventLog) error { return enact(c.Context(), workflows.NewLibrary(log)) })
	if err == nil {
		err = withHouse(c, o.stores, func(ctx context.Context, h *house) error { return enact(ctx, h.library) })
	}
	var unfit *workflows.UnfitError
	if errors.As(err, &unfit) {
		if printErr := printUnfit(c.OutOrStdout(), unfit, o.asJSON); printErr != nil {
			return printErr
		}
		return &faultError{err.Error()}
	}
	if err != nil {
		return err
	}
	if o.asJSON {
		return printJSON(c.OutOrStdout(), struct {
			Published bool `json:"published"` // false: it was there
			versionLine
		}{appended, lineOfVersion(v, "")})
	}
	what := "published"
	if !appended {
		what = "is this definition already; nothing was recorded. It was published"
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s version %d of tenant %s %s %s, effective %s, %d findings waived, hash %s\n",
		d.ID, v.Ref().Version, o.code, what, clock(v.At, o.code), clock(v.Effective, o.code), len(v.Waivers), v.Hash)
	return err
}

func printUnfit(w io.Writer, e *workflows.UnfitError, asJSON bool) error {
	if asJSON {
		return printJSON(w, struct {
			Published bool                `json:"published"`
			Findings  []workflows.Finding `json:"findings"`
			Failed    workflows.Problems  `json:"failed_tests"`
			Waivers   []string            `json:"waivers"`
		}{false, append([]workflows.Finding{}, e.Findings...), append(workflows.Problems{}, e.Failed...), append([]string{}, e.Waivers...)})
	}
	var b strings.Builder
	if len(e.Failed) > 0 {
		fmt.Fprintln(&b, e.Failed.Error())
	}
	for _, f := range e.Findings {
		fmt.Fprintln(&b, f)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
