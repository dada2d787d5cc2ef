package web

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// waits tells what a request waits for: the opinions of whom, and its turn in a queue,
// with how many that came later were taken before it. Who took them, and why, is not for
// this page.
func (s *site) waits(ctx context.Context, p page, r domain.Request, w *workflows.Workflow) ([]detail, error) {
	var list []detail
	if roles := w.Reviewers(r); len(roles) > 0 {
		list = append(list, detail{p.T("status.reviewer"), titles(p, roles)})
	}
	place, waiting, err := s.Queue.Of(ctx, r.ID)
	if err != nil || !waiting || place.State != r.State {
		return list, err
	}
	print := message.NewPrinter(language.MustParse(p.Lang))
	list = append(list, detail{p.T("queue.place"), print.Sprintf(p.T("queue.of"), place.Position, place.Waiting)})
	if n := place.Overtakers(); n > 0 {
		list = append(list, detail{p.T("queue.overtaken"), print.Sprintf("%d", n)})
	}
	return list, nil
}

// spent tells with whom a request was how long, in days and hours.
func (s *site) spent(ctx context.Context, p page, request uuid.UUID) ([]detail, error) {
	took, err := s.Engine.Spent(ctx, request, s.Now())
	if err != nil {
		return nil, err
	}
	var list []detail
	for _, x := range []struct {
		with string
		d    time.Duration
	}{{p.T("spent.agency"), took.Agency}, {p.T("spent.applicant"), took.Applicant}, {p.T("spent.others"), took.Others}} {
		if x.d > 0 {
			list = append(list, detail{x.with, lasted(p, x.d)})
		}
	}
	return list, nil
}

// lasted is a length of time in days and hours; the hours are left out after ten days.
func lasted(p page, d time.Duration) string {
	if d < time.Hour {
		return p.T("spent.little")
	}
	days, hours := int(d.Hours())/24, int(d.Hours())%24
	some := func(n int, one, many string) string {
		if n == 1 {
			many = one
		}
		return fmt.Sprintf(many, n)
	}
	inDays := some(days, p.T("spent.days.one"), p.T("spent.days"))
	inHours := some(hours, p.T("spent.hours.one"), p.T("spent.hours"))
	switch {
	case days == 0:
		return inHours
	case hours == 0 || days >= 10:
		return inDays
	}
	return inDays + " " + inHours
}
