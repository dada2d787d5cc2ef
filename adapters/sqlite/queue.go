package sqlite

import (
	"context"
	"runtime"
	"sync"

	"github.com/alur-id/alur/domain"
)

// Limits of one group. More would not be faster, and the callers at the front
// would wait longer.
const (
	maxJobs   = 512
	maxWeight = 4096 // about the rows
)

// queue is a line of jobs before the one goroutine that writes. It takes all that
// wait, commits them as one transaction, and only then answers: while one group
// is on its way to the disk, the next gathers.
type queue[J weighty] struct {
	jobs    chan *job[J]
	closing chan struct{}
	stopped chan struct{}
	once    sync.Once
}

// weighty is what a job says of its share of a group.
type weighty interface{ weight() int }

// job is a caller waiting in line.
type job[J weighty] struct {
	work J
	err  error // of the transaction
	done chan struct{}
}

// newQueue starts the goroutine. Commit makes a group durable; after is called
// when its callers have their answers, for what need not keep them waiting.
func newQueue[J weighty](commit func([]*job[J]) error, after func()) *queue[J] {
	q := &queue[J]{jobs: make(chan *job[J], maxJobs), closing: make(chan struct{}), stopped: make(chan struct{})}
	go q.run(commit, after)
	return q
}

// do waits until the work is durable. After an error other than ErrClosed it may
// have been done: when the context ends first, it may yet be.
func (q *queue[J]) do(ctx context.Context, work J) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-q.closing:
		return domain.ErrClosed
	default:
	}
	j := &job[J]{work: work, done: make(chan struct{})}
	select {
	case q.jobs <- j:
	case <-q.closing:
		return domain.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-j.done:
		return j.err
	case <-ctx.Done():
		return ctx.Err()
	case <-q.stopped:
	}
	select {
	case <-j.done:
		return j.err
	default: // it came into line when the writer had gone
		return domain.ErrClosed
	}
}

func (q *queue[J]) run(commit func([]*job[J]) error, after func()) {
	defer close(q.stopped)
	var group []*job[J]
	for {
		group = group[:0]
		select {
		case j := <-q.jobs:
			group = q.gather(append(group, j))
		case <-q.closing:
			select {
			case j := <-q.jobs:
				group = q.gather(append(group, j))
			default:
				return
			}
		}
		err := commit(group)
		for i, j := range group {
			j.err = err
			close(j.done)
			group[i] = nil
		}
		after()
	}
}

// gather takes the jobs that wait already, and those of callers who are just about
// to: it lets them run, but does not wait for anybody. The callers that the last
// group woke come back together, and a group that left without most of them would
// cost a whole fsync.
func (q *queue[J]) gather(group []*job[J]) []*job[J] {
	weight := group[0].work.weight()
	for before := 0; len(group) > before; {
		before = len(group)
		runtime.Gosched()
		for more := true; more && len(group) < maxJobs && weight < maxWeight; {
			select {
			case j := <-q.jobs:
				group = append(group, j)
				weight += j.work.weight()
			default:
				more = false
			}
		}
	}
	return group
}

// close waits until what is in line is done. It may be called again.
func (q *queue[J]) close() {
	q.once.Do(func() { close(q.closing) })
	<-q.stopped
}
