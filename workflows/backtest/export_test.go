package backtest

import (
	"context"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Sides is a request as its history left it, and as the new version does.
func (t *Backtest) Sides(ctx context.Context, request uuid.UUID) (then, now domain.Request, err error) {
	c := t.course(ctx, false)
	c.h.Request = request
	err = c.run(t.Log.ReadStream(ctx, domain.RequestStream(request), 0))
	return c.then, c.now, err
}
