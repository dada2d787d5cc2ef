package projections

// NewInboxViewOf reads from whatever answers, for tests that look at how it does.
func NewInboxViewOf(db querier) *InboxView { return &InboxView{db} }

// NewQueueViewOf reads from whatever answers, for tests that look at how it does.
func NewQueueViewOf(db querier) *QueueView { return &QueueView{db} }
