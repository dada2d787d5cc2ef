package projections_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// The register has what was granted, by whom, and what became of it.
func TestTheRegisterOfPermits(t *testing.T) {
	basis := domain.Basis{ID: "UU 30/2014 ps. 53", EN: "Law 30/2014 art. 53"}
	issue := act("work", "issued", domain.StatusApproved, domain.OutcomeApproved, "")
	reopen := act("issued", "work", domain.StatusInProcess, "", domain.ActionReopen)
	all := [][]domain.Body{ // a day after each other; nil: facts that are recorded by the command before
		{act("new", "work", domain.StatusInProcess, "", ""), issue, nil, act("issued", "issued", domain.StatusApproved, domain.OutcomeApproved, "")},
		{domain.DecisionDeemed{Term: "law", Ground: domain.DeemedApproval, Basis: basis, From: "new", To: "issued", Public: domain.StatusApproved, Outcome: domain.OutcomeApproved}},
		{issue, domain.RequestCorrected{}, reopen},
		{issue, reopen, issue, nil, domain.FactsRecorded{}},
		{issue, act("issued", "revoked", domain.StatusRejected, domain.OutcomeRejected, "")},
		{act("new", "no", domain.StatusRejected, domain.OutcomeRejected, "")},
		{domain.FactsRecorded{}},
	}
	everyDatabase(t, func(t *testing.T, open func() func() database) {
		log, db := newLog(), open()()
		for i, events := range all {
			x := history{log: log, request: uuid.NewSHA1(uuid.Nil, []byte{byte(i)})}
			x.after(t, float64(i)/24, asked(x.request, i)) // an hour after each other
			day := float64(i) / 24
			for _, body := range events {
				if body == nil {
					body = domain.FactsRecorded{}
				} else {
					day++
				}
				x.after(t, day, body)
			}
		}
		views := newViews(t, log, db.writer, projections.StatusProjection{}, projections.PermitProjection{})
		if err := views.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		nothingDiffers(t, views)
		view := projections.NewPermitView(db.reader)
		list := func(f projections.PermitFilter) []projections.Permit {
			list, err := view.List(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		hour := 1.0 / 24
		permit := func(i int, issued float64, standing projections.PermitStanding, times int) projections.Permit {
			return projections.Permit{
				Reference: domain.NewReference(uint64(i)), Tenant: "11.71", Service: "permit", Office: "o", Workflow: 1, Issued: later(issued), Standing: standing, Times: times,
			}
		}
		want := []projections.Permit{
			permit(1, 1+hour, projections.PermitIssued, 1), permit(2, 1+2*hour, projections.PermitReopened, 1), permit(3, 1+3*hour, projections.PermitIssued, 2),
			permit(4, 1+4*hour, projections.PermitRevoked, 1), permit(0, 2, projections.PermitIssued, 1),
		}
		want[0].Ground, want[0].Basis = domain.DeemedApproval, basis
		want[1].Corrected, want[1].Changed = later(2+2*hour), later(3+2*hour)
		want[2].Changed, want[2].Corrected = later(3+3*hour), later(4+3*hour)
		want[3].Changed = later(2 + 4*hour)
		if d := cmp.Diff(want, list(projections.PermitFilter{})); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
		for name, x := range map[string]struct {
			filter projections.PermitFilter
			want   []projections.Permit
		}{
			"granted by law":  {projections.PermitFilter{ByLaw: true}, want[:1]},
			"revoked":         {projections.PermitFilter{Standing: projections.PermitRevoked}, want[3:4]},
			"the first two":   {projections.PermitFilter{Limit: 2}, want[:2]},
			"the next two":    {projections.PermitFilter{Limit: 2, After: want[1].Reference}, want[2:4]},
			"behind the last": {projections.PermitFilter{After: want[4].Reference}, want[:0]},
			"of a day":        {projections.PermitFilter{Since: later(2), Until: later(3)}, want[4:]},
			"of nobody":       {projections.PermitFilter{Tenant: "11.72"}, want[:0]},
			"of the service":  {projections.PermitFilter{Service: "permit"}, want},
			"of no service":   {projections.PermitFilter{Service: "none"}, want[:0]},
			"of the tenant":   {projections.PermitFilter{Tenant: "11.71"}, want},
		} {
			if d := cmp.Diff(x.want, list(x.filter)); d != "" {
				t.Errorf("%s (-want +got)\n%s", name, d)
			}
		}
	})
}
