package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/difference"
)

func newWorkflowDiff() *cobra.Command {
	var from stores
	var tenant, lang string
	var asJSON bool
	c := &cobra.Command{
		Use:   "diff BEFORE AFTER",
		Short: "Say in words how two definitions differ in what they do",
		Long: `Diff compares two definitions, each a file or a published version, such as
sip-dokter@2 with --tenant. It speaks of the service, roles, states, transitions,
terms, documents, fees and all else that a definition says, not of lines: comments
and the order of keys are no difference. Of a changed term it says whether the
citizen waits longer or has less time. A state that seems to have another name is
told as a guess. Tests in the files are only counted. The exit code is 3 when there
is a difference in anything but the tests.`,
		Example: `  alur workflow diff sip-dokter@1 sip-dokter.yaml --tenant 11.71 --lang en
  alur workflow diff sip-dokter@1 sip-dokter@2 --tenant 11.71`,
		Args: func(c *cobra.Command, args []string) error {
			if lang != "id" && lang != "en" {
				return fmt.Errorf("--lang %q: want id or en", lang)
			}
			if tenant != "" {
				if _, err := domain.ParseTenantCode(tenant); err != nil {
					return err
				}
			}
			return cobra.ExactArgs(2)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			return diff(c, from, domain.TenantCode(tenant), args, lang, asJSON)
		},
	}
	from.flags(c)
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&tenant, "tenant", "", "tenant `CODE` of published versions, such as 11.71")
	c.Flags().StringVar(&lang, "lang", "id", "`LANGUAGE` to say it in: id or en")
	return c
}

func diff(c *cobra.Command, from stores, tenant domain.TenantCode, names []string, lang string, asJSON bool) error {
	before, err := definitionAt(c, from, tenant, names[0])
	if err != nil {
		return err
	}
	after, err := definitionAt(c, from, tenant, names[1])
	if err != nil {
		return err
	}
	r := difference.Between(before, after)
	if asJSON {
		err = printJSON(c.OutOrStdout(), struct {
			Before string `json:"before"`
			After  string `json:"after"`
			difference.Report
		}{names[0], names[1], r})
	} else {
		_, err = fmt.Fprint(c.OutOrStdout(), r.Words(lang))
	}
	switch {
	case err != nil:
		return err
	case len(r.Changes) > 0:
		return &faultError{fmt.Sprintf("%d differences", len(r.Changes))}
	}
	c.PrintErrln("alur: no differences in what they do")
	return nil
}

var versionForm = regexp.MustCompile(`^([A-Za-z0-9-]+)@([1-9][0-9]{0,8})$`)

// definitionAt is the definition in a file, or a published version.
func definitionAt(c *cobra.Command, from stores, tenant domain.TenantCode, name string) (*workflows.Definition, error) {
	m := versionForm.FindStringSubmatch(name)
	if _, err := os.Stat(name); m == nil || !errors.Is(err, fs.ErrNotExist) {
		d, _, err := readDefinition(name)
		return d, err
	}
	if tenant == "" {
		return nil, &hintError{fmt.Errorf("there is no file %s, and no tenant whose version it could be", name), "say whose with --tenant"}
	}
	number, _ := strconv.Atoi(m[2]) // digits, and few
	var d *workflows.Definition
	err := withExisting(c, from, func(ctx context.Context, h *house) error {
		w, err := h.library.Version(ctx, tenant, domain.WorkflowRef{ID: m[1], Version: number})
		if err == nil {
			d = w.Definition
		}
		return err
	})
	return d, err
}
