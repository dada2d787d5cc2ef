package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/alur-id/alur/domain"
)

// Limits of one transaction. More would not be faster, and the callers at the
// front would wait longer.
const (
	maxJobs   = 512
	maxEvents = 4096
	maxBytes  = 1 << 20
)

// closingPatience is how long an append that is on its way may take when the log
// is closed.
const closingPatience = 5 * time.Second

// committer is the one goroutine of a log that appends. It takes all that wait,
// has them recorded by one transaction, and only then answers: while one group is
// on its way, the next gathers.
type committer struct {
	writer *writer
	saw    func(domain.Position)

	grouped atomic.Pointer[func(appends int)] // is told of each group

	jobs    chan *job
	closing chan struct{}
	stopped chan struct{}
	once    sync.Once
	ctx     context.Context // ends when an attempt may no longer go on
	cancel  context.CancelFunc

	mu      sync.Mutex
	failure error // of the last attempt, nil if it was answered
}

func newCommitter(w *writer, saw func(domain.Position)) *committer {
	c := &committer{
		writer: w, saw: saw,
		jobs: make(chan *job, maxJobs), closing: make(chan struct{}), stopped: make(chan struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	go c.run()
	return c
}

// close waits until what is in line is done, or cannot be.
func (c *committer) close() {
	c.once.Do(func() {
		close(c.closing)
		select {
		case <-c.stopped:
		case <-time.After(closingPatience):
		}
		c.cancel()
	})
	<-c.stopped
}

// do waits until the job has its answers.
func (c *committer) do(j *job) error {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	select {
	case <-c.closing:
		return domain.ErrClosed
	default:
	}
	select {
	case c.jobs <- j:
	case <-c.closing:
		return domain.ErrClosed
	case <-j.ctx.Done():
		return ended(j.ctx, c.lastFailure())
	}
	select {
	case <-j.done:
		return j.err
	case <-j.ctx.Done():
		return ended(j.ctx, c.lastFailure())
	case <-c.stopped:
	}
	select {
	case <-j.done:
		return j.err
	default: // it came into line when the committer had gone
		return domain.ErrClosed
	}
}

func (c *committer) lastFailure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

func (c *committer) note(failure error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failure = failure
}

func (c *committer) run() {
	defer close(c.stopped)
	defer c.writer.end()
	var line []item
	for {
		if len(line) == 0 {
			select {
			case j := <-c.jobs:
				line = enter(line, j)
			case <-c.closing:
				select {
				case j := <-c.jobs:
					line = enter(line, j)
				default:
					return
				}
			}
		}
		g, rest := group(c.gather(line))
		line = append(c.record(g), rest...)
	}
}

func enter(line []item, j *job) []item {
	for n, a := range j.appends {
		line = append(line, item{job: j, n: n, size: a.Size()})
	}
	return line
}

// gather takes the jobs that wait already, and those of callers who are just about
// to: it lets them run, but does not wait for anybody. The callers that the last
// group woke come back together, and a group that left without most of them would
// cost a whole fsync.
func (c *committer) gather(line []item) []item {
	bytes := 0
	for _, i := range line {
		bytes += i.size
	}
	for before := 0; len(line) > before; {
		before = len(line)
		runtime.Gosched()
		for more := true; more && len(line) < maxJobs && bytes < maxBytes; {
			select {
			case j := <-c.jobs:
				entered := len(line)
				line = enter(line, j)
				for _, i := range line[entered:] {
					bytes += i.size
				}
			default:
				more = false
			}
		}
	}
	return line
}

// record gives the appends of a group their answers. It returns those that must
// be tried again, in their order.
func (c *committer) record(g []request) []item {
	var again []item
	err := c.attempt(&g)
	if err != nil && refused(err) && (len(g) > 1 || len(g) == 1 && len(g[0].parts) > 1) {
		// The server refused what one of them holds: no neighbour is to suffer.
		for _, r := range g {
			for _, it := range r.parts {
				alone, _ := group([]item{it})
				again = append(again, c.record(alone)...)
			}
		}
		return again
	}
	for _, r := range g {
		for i, it := range r.parts {
			if err == nil && r.outcomes[i].again {
				again = append(again, it)
				continue
			}
			it.answer(r.outcome(i, err))
		}
	}
	return again
}

// attempt tries until there is an answer, or nobody is left who waits for one. It
// is not bound to any one caller's context: the others in the group must not fail
// because one went away.
func (c *committer) attempt(g *[]request) error {
	size := 0
	for _, r := range *g {
		size += r.size
	}
	patience := firstPatience + time.Duration(size>>20)*500*time.Millisecond
	err := again(c.ctx, patience, func(ctx context.Context) error {
		*g = slices.DeleteFunc(*g, request.forsaken)
		if len(*g) == 0 {
			return nil
		}
		head, err := c.writer.record(ctx, *g)
		if c.note(err); err == nil {
			c.saw(head)
			c.tell(*g)
		} else if c.isClosing() {
			err = fmt.Errorf("%w: %w", errGivenUp, err)
		}
		return err
	})
	if err != nil && c.ctx.Err() != nil {
		return errGivenUp
	}
	return err
}

// tell tells how many appends a transaction answered.
func (c *committer) tell(g []request) {
	if tell := c.grouped.Load(); tell != nil {
		n := 0
		for _, r := range g {
			for _, o := range r.outcomes {
				if !o.again {
					n++
				}
			}
		}
		(*tell)(n)
	}
}

// errGivenUp is what callers are told whom closing the log overtook.
var errGivenUp = fmt.Errorf("%w: the log was closed while trying", domain.ErrUnavailable)

// refused reports whether the server said no to what it was given.
func refused(err error) bool {
	var unconnected *pgconn.ConnectError // then it was given nothing
	if weigh(err) != lasting || errors.As(err, &unconnected) {
		return false
	}
	for _, not := range []error{errUnsafe, errDamaged, errPooled, errGivenUp, domain.ErrStopped} {
		if errors.Is(err, not) {
			return false
		}
	}
	return true
}

func (c *committer) isClosing() bool {
	select {
	case <-c.closing:
		return true
	default:
		return false
	}
}
