package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/domain"
)

// mandateJSON is a mandate as it is printed. Who gave it is sealed.
type mandateJSON struct {
	ID     uuid.UUID         `json:"id"`
	Tenant domain.TenantCode `json:"tenant"`
	domain.MandateGranted
	Granted time.Time         `json:"granted"`
	By      domain.Actor      `json:"granted_by"`
	End     domain.MandateEnd `json:"end,omitempty"`
	Ended   time.Time         `json:"ended,omitzero"`
	Ender   *domain.Actor     `json:"ended_by,omitempty"`
}

func newMandateJSON(m domain.Mandate) mandateJSON {
	j := mandateJSON{ID: m.ID, Tenant: m.Tenant, MandateGranted: m.MandateGranted, Granted: m.Granted, By: m.Grantor, End: m.End, Ended: m.Ended}
	if m.End != "" {
		j.Ender = &m.Ender
	}
	return j
}

func (j mandateJSON) row() []string {
	fee, end := "", ""
	if j.Fee != nil {
		fee = strconv.FormatInt(*j.Fee, 10)
	}
	if j.End != "" {
		end = string(j.End) + " " + clock(j.Ended, j.Tenant)
	}
	return []string{j.ID.String(), string(j.Tenant), j.Holder, strings.Join(j.Services, ","), j.From, j.Until, fee, end, j.By.ID}
}

var mandateHeader = []string{"MANDATE", "TENANT", "HOLDER", "SERVICES", "FROM", "UNTIL", "FEE", "ENDED", "RECORDED BY"}

const recordsMandates = `
A SQLite log has one writing process: stop alur serve first, or send this to its
API (/api/v1/mandates).`

func newMandateGrant() *cobra.Command {
	s := stores{sealing: true, existing: true}
	var tenant, by, document string
	var b domain.MandateGranted
	var fee int64
	var asJSON bool
	c := &cobra.Command{
		Use:   "grant --holder ACTOR --service CODE --last-day DATE --document SHA256 --by OFFICER",
		Short: "Record that somebody may act for another",
		Long: `Grant records a mandate (surat kuasa) of which you have seen the signed paper. Who
gives it is read from standard input, so that the number stands in no list of
processes and no history: one line such as nik:, nib: or passport: and the number.
It is sealed. The id that is printed is what the holder's commands then name.
` + recordsMandates,
		Example: `  alur mandate grant --tenant 11.71 --holder agent-12 --service sip-dokter --last-day 2027-02-28 \
    --document $(sha256sum < surat-kuasa.pdf | cut -d' ' -f1) --by officer-3 --db alur.db < identity.txt`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			code, err := domain.ParseTenantCode(tenant)
			if err != nil {
				return err
			}
			if b.Document = document; b.From == "" {
				b.From = time.Now().In(code.Zone()).Format(time.DateOnly)
			}
			if c.Flags().Changed("fee") {
				b.Fee = &fee
			}
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			return changeMandate(c, s, asJSON, func(ctx context.Context, h *house) (domain.Mandate, error) {
				principal, err := identityFrom(c, "who gives it")
				if err != nil {
					return domain.Mandate{}, err
				}
				return h.engine.Grant(ctx, domain.GrantMandate{
					Header: domain.Header{ID: id, Actor: mandateOfficer(by)}, Tenant: code, Principal: principal, MandateGranted: b,
				})
			})
		},
	}
	s.flags(c)
	s.kekFlag(c)
	jsonFlag(c, &asJSON)
	f := c.Flags()
	f.StringVar(&tenant, "tenant", "", "`CODE` of the tenant, such as 11.71")
	f.StringVar(&b.Holder, "holder", "", "pseudonym of the `ACTOR` who may act")
	f.StringSliceVar(&b.Services, "service", nil, "for which service (`CODE`; may be given more than once)")
	f.StringVar(&b.From, "first-day", "", "first day (`DATE` such as 2026-11-28), by the tenant's clock; today where it is left out")
	f.StringVar(&b.Until, "last-day", "", "last day (`DATE` such as 2027-02-28)")
	f.StringVar(&document, "document", "", "`SHA256` of the signed paper, hex; the paper is kept elsewhere")
	f.Int64Var(&fee, "fee", 0, "what the holder takes for it, in `RUPIAH`; left out where nobody said")
	f.StringVar(&by, "by", "", "pseudonym of the `OFFICER` who records it")
	required(c, "tenant", "holder", "service", "last-day", "document", "by")
	return c
}

func newMandateEnd() *cobra.Command {
	s := stores{sealing: true, existing: true}
	var by, end string
	var asJSON bool
	c := &cobra.Command{
		Use:   "end MANDATE --end END --by OFFICER",
		Short: "Record that a mandate has ended before its last day",
		Long: `End records that a mandate holds no more: revoked by whoever gave it, renounced by
whoever held it, or ceased by death, guardianship or bankruptcy of either
(KUHPerdata art. 1813). Nothing is recorded under it from then on; what was, stays.
` + recordsMandates,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			mandate, err := uuid.Parse(args[0])
			if err != nil {
				return fmt.Errorf("%q is not the id of a mandate", args[0])
			}
			id, err := uuid.NewV7()
			if err != nil {
				return err
			}
			return changeMandate(c, s, asJSON, func(ctx context.Context, h *house) (domain.Mandate, error) {
				return h.engine.EndMandate(ctx, mandate, domain.EndMandate{Header: domain.Header{ID: id, Actor: mandateOfficer(by)}, End: domain.MandateEnd(end)})
			})
		},
	}
	s.flags(c)
	s.kekFlag(c)
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&end, "end", "", "how it ended (`END`): "+domain.Listed(domain.MandateEnds()))
	c.Flags().StringVar(&by, "by", "", "pseudonym of the `OFFICER` who records it")
	required(c, "end", "by")
	return c
}

func mandateOfficer(by string) domain.Actor {
	return domain.Actor{ID: by, Role: "mandates", Capacity: domain.CapacityOfficer}
}

// changeMandate opens the stores, has a mandate granted or ended, and prints it.
func changeMandate(c *cobra.Command, s stores, asJSON bool, do func(context.Context, *house) (domain.Mandate, error)) error {
	var m domain.Mandate
	err := withHouse(c, s, func(ctx context.Context, h *house) (err error) {
		m, err = do(ctx, h)
		return err
	})
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), newMandateJSON(m))
	}
	return table(c.OutOrStdout(), mandateHeader, [][]string{newMandateJSON(m).row()})
}

func newMandateList() *cobra.Command {
	var s stores
	var tenant, holder string
	var holding, asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List who may act for others, for what and until when",
		Long: `List reads the log itself, all of it. Who gave a mandate is sealed; what was done
under one, alur audit --mandate lists.`,
		Args: func(c *cobra.Command, args []string) error {
			if err := checkTenant(tenant); err != nil {
				return err
			}
			return cobra.NoArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) (err error) {
			s.readOnly = true
			log, _, err := s.openLog(c.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, log.Close()) }()
			all, err := mandatesIn(c.Context(), log)
			if err != nil {
				return err
			}
			now, list, rows := time.Now(), []mandateJSON{}, [][]string{}
			for _, m := range all {
				if tenant != "" && string(m.Tenant) != tenant || holder != "" && !(domain.Actor{ID: holder}).SamePerson(m.Holder) || holding && m.Over(now) {
					continue
				}
				list = append(list, newMandateJSON(m))
				rows = append(rows, newMandateJSON(m).row())
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), list)
			}
			if err := table(c.OutOrStdout(), mandateHeader, rows); err != nil {
				return err
			}
			c.PrintErrf("alur: %s\n", count(len(list), "mandate"))
			return nil
		},
	}
	s.flags(c)
	jsonFlag(c, &asJSON)
	c.Flags().StringVar(&tenant, "tenant", "", "only of this tenant `CODE`, such as 11.71")
	c.Flags().StringVar(&holder, "holder", "", "only those that this `ACTOR` holds")
	c.Flags().BoolVar(&holding, "holding", false, "only those that are not over")
	return c
}

// mandatesIn folds every mandate of a log, in the order in which they were granted.
func mandatesIn(ctx context.Context, log domain.EventLog) ([]domain.Mandate, error) {
	var all []domain.Mandate
	place := map[string]int{}
	for e, err := range log.ReadAll(ctx, 0) {
		if err != nil {
			return nil, err
		}
		if domain.StreamKind(e.Stream) != "mandate" {
			continue
		}
		r, err := domain.Decode(e)
		if err != nil {
			return nil, err
		}
		i, known := place[e.Stream]
		if !known {
			i = len(all)
			place[e.Stream], all = i, append(all, domain.Mandate{})
		}
		all[i] = domain.EvolveMandate(all[i], r)
	}
	return all, nil
}
