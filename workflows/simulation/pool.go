package simulation

import "slices"

// pool is some officers and what waits for them. Work is taken in the order in which it
// became ready; who is free longest takes it, unless four eyes bar them: then the next.
type pool struct {
	unlimited bool
	officers  int
	free      []int // in the order in which they became free
	queue     []*item
}

// take takes what waits at a place of the queue, which is nearly always the first.
func (p *pool) take(i int) {
	if i > 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
		return
	}
	p.queue[0] = nil
	p.queue = p.queue[1:]
}

func newPool(p *Pool) pool {
	x := pool{unlimited: p.Unlimited, officers: p.Officers}
	for i := range p.Officers {
		x.free = append(x.free, i)
	}
	return x
}

// offer has a piece of work done, or lets it wait.
func (s *run) offer(it *item) {
	j, p := it.job, &s.pools[it.pool]
	j.items = append(j.items, it)
	s.seen.came(s, it)
	if p.unlimited {
		s.start(it, -1)
		return
	}
	for i, officer := range p.free {
		if !it.barred(officer) {
			p.free = slices.Delete(p.free, i, i+1)
			s.start(it, officer)
			return
		}
	}
	if it.barredAll(p.officers) {
		s.seen.barred[it.pool]++
	}
	p.queue = append(p.queue, it)
	s.seen.queued(s, it.row, 1)
}

// barred reports whether four eyes stand against an officer.
func (it *item) barred(officer int) bool {
	if len(it.way.notBy) == 0 {
		return false
	}
	id := it.officerID(officer)
	for _, d := range it.job.did {
		if d.officer == id && slices.Contains(it.way.notBy, d.action) {
			return true
		}
	}
	return false
}

func (it *item) barredAll(officers int) bool {
	for i := range officers {
		if !it.barred(i) {
			return false
		}
	}
	return true
}

// officerID tells the officers of all pools apart.
func (it *item) officerID(officer int) int { return it.pool*maxOfficers + officer }

func (s *run) start(it *item, officer int) {
	it.state, it.began, it.officer = inWork, s.now, officer
	s.seen.began(s, it)
	s.at(s.finished(s.now, it.service), false, func() {
		if it.state != inWork {
			return
		}
		s.finish(it)
		if it.review >= 0 {
			s.reviewed(it.job, it.review)
			return
		}
		by := -1
		if officer >= 0 {
			by = it.officerID(officer)
		}
		s.took(it.job, it.way, by)
	})
}

// finish ends a piece of work that is being done; its officer takes the next.
func (s *run) finish(it *item) {
	it.state = over
	s.seen.finished(s, it)
	if it.officer < 0 {
		return
	}
	p := &s.pools[it.pool]
	for i, waits := range p.queue {
		if !waits.barred(it.officer) {
			p.take(i)
			s.seen.queued(s, waits.row, -1)
			s.start(waits, it.officer)
			return
		}
	}
	p.free = append(p.free, it.officer)
}

// drop ends all work on a request, done or not: it goes elsewhere.
func (s *run) drop(j *job) {
	items := j.items
	j.items = nil
	for _, it := range items {
		if it.state == waiting {
			it.state = over
			p := &s.pools[it.pool]
			p.take(slices.Index(p.queue, it))
			s.seen.queued(s, it.row, -1)
			s.seen.gaveUp(s, it)
		}
	}
	for _, it := range items {
		if it.state == inWork && it.pool >= 0 {
			s.finish(it)
		}
		it.state = over
	}
}
