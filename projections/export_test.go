package projections

import "context"

// Statement is what [InboxView.List] asks, for tests that look at how it is answered.
func (v *InboxView) Statement(ctx context.Context, f InboxFilter) (string, []any, error) {
	q, err := f.question()
	if err == nil {
		err = v.places(ctx, q)
	}
	if err != nil || len(q.arms) == 0 { // there is nothing to be read
		return "", nil, err
	}
	return q.text(f.Limit + 1), q.args, nil
}

// NewQueueViewOf reads from whatever answers, for tests that look at how it does.
func NewQueueViewOf(db querier) *QueueView { return &QueueView{db} }
