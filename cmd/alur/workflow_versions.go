package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// versionLine is a version of a workflow as it is listed.
type versionLine struct {
	Workflow  string             `json:"workflow"`
	Version   int                `json:"version"`
	Standing  workflows.Standing `json:"standing,omitempty"`
	Hash      string             `json:"hash"`
	Published time.Time          `json:"published"`
	Effective time.Time          `json:"effective"`
	By        string             `json:"by"`
	Why       string             `json:"why"`
	Check     *domain.Checked    `json:"check,omitempty"` // as it was published; old versions and histories have none
	Waivers   []domain.Waiver    `json:"waivers"`
	Retired   *retiredLine       `json:"retired,omitempty"`
	Running   *int               `json:"running,omitempty"` // requests under it that have not ended
}

type retiredLine struct {
	From     time.Time `json:"from"`
	Recorded time.Time `json:"recorded"`
	By       string    `json:"by"`
	Why      string    `json:"why"`
}

func lineOfVersion(v workflows.Published, standing workflows.Standing) versionLine {
	l := versionLine{
		Workflow: v.Ref().ID, Version: v.Ref().Version, Standing: standing, Hash: v.Hash, Published: v.At, Effective: v.Effective,
		By: v.By.ID, Why: v.Why, Check: v.Check, Waivers: append([]domain.Waiver{}, v.Waivers...),
	}
	if r := v.Retired; r != nil {
		l.Retired = &retiredLine{r.From, r.At, r.By.ID, r.Why}
	}
	return l
}

func newWorkflowVersions() *cobra.Command {
	var from stores
	var tenant string
	var asJSON bool
	c := &cobra.Command{
		Use:   "versions [ID]",
		Short: "List the published versions of a tenant's workflows",
		Long: `Versions lists what was published: number and hash, since when and until when new
requests are judged by it, who published it and why, and how many requests run under
it. Of the versions of a workflow one is in_force, or none: the service then takes no
new requests. The others are future, superseded, retired, or history: for imported
requests only. Why it was retired and what was waived stands in the JSON. Where one
tenant alone has workflows, --tenant can be left out.`,
		Args: func(c *cobra.Command, args []string) error {
			if err := checkTenant(tenant); err != nil {
				return err
			}
			return cobra.MaximumNArgs(1)(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			id := ""
			if len(args) > 0 {
				id = args[0]
			}
			list, code := []versionLine{}, domain.TenantCode(tenant)
			err := withExisting(c, from, func(ctx context.Context, h *house) (err error) {
				if code == "" {
					if code, err = h.onlyTenant(ctx); code == "" || err != nil {
						return err
					}
				}
				list, err = h.versions(ctx, code, id)
				return err
			})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), list)
			}
			return table(c.OutOrStdout(), []string{"WORKFLOW", "VERSION", "STANDING", "HASH", "PUBLISHED", "EFFECTIVE", "RETIRED", "BY", "WAIVED", "RUNNING", "WHY"}, versionRows(list, code))
		},
	}
	from.flags(c)
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&tenant, "tenant", "", "tenant `CODE`, such as 11.71, where several have workflows")
	return c
}

func versionRows(list []versionLine, tenant domain.TenantCode) [][]string {
	rows := make([][]string, len(list))
	for i, l := range list {
		retired := ""
		if l.Retired != nil {
			retired = clock(l.Retired.From, tenant)
		}
		rows[i] = []string{
			l.Workflow, strconv.Itoa(l.Version), string(l.Standing), l.Hash[:min(12, len(l.Hash))], clock(l.Published, tenant), clock(l.Effective, tenant),
			retired, l.By, strconv.Itoa(len(l.Waivers)), strconv.Itoa(*l.Running), l.Why,
		}
	}
	return rows
}

// onlyTenant is the one that has workflows; empty where none has.
func (h *house) onlyTenant(ctx context.Context) (domain.TenantCode, error) {
	list, err := h.services.Tenants(ctx)
	switch {
	case err != nil || len(list) == 0:
		return "", err
	case len(list) > 1:
		return "", &usageError{&hintError{errors.New("there are versions of several tenants: " + domain.Listed(list)), "say whose with --tenant"}}
	}
	return list[0], nil
}

// has refuses a workflow that a tenant has not, before a log is opened to write to it.
func (s stores) has(c *cobra.Command, tenant domain.TenantCode, id string) error {
	return withExisting(c, s, func(ctx context.Context, h *house) error {
		_, err := h.versions(ctx, tenant, id)
		return err
	})
}

// versions lists the versions of one workflow of a tenant, or of all.
func (h *house) versions(ctx context.Context, tenant domain.TenantCode, id string) ([]versionLine, error) {
	list, names := []versionLine{}, []string{id}
	if id == "" {
		var err error
		if names, err = h.services.Of(ctx, tenant); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		versions, err := h.library.Versions(ctx, tenant, name)
		if errors.Is(err, domain.ErrNotFound) {
			return nil, &hintError{fmt.Errorf("tenant %s has no workflow %q", tenant, name), "alur workflow versions --tenant " + string(tenant) + " lists those it has"}
		}
		if err != nil {
			return nil, err
		}
		running, err := h.status.Running(ctx, tenant, name)
		if err != nil {
			return nil, err
		}
		for i, standing := range workflows.Standings(versions, time.Now()) {
			l, n := lineOfVersion(versions[i], standing), running[i+1]
			l.Running = &n
			list = append(list, l)
		}
	}
	return list, nil
}
