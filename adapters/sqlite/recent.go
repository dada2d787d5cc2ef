package sqlite

import "github.com/alur-id/alur/domain"

// maxRecent bounds each half of what is remembered: some ten megabytes.
const maxRecent = 1 << 16

// recent remembers the versions of the streams that were used last. Two maps do
// for it: when the young one is full it becomes the old one, and what was in the
// old one and not used since is forgotten. The zero value remembers nothing.
type recent struct{ young, old map[string]domain.Version }

func (r *recent) get(stream string) (domain.Version, bool) {
	if v, ok := r.young[stream]; ok {
		return v, true
	}
	v, ok := r.old[stream]
	if ok {
		r.put(stream, v)
	}
	return v, ok
}

func (r *recent) put(stream string, v domain.Version) {
	if _, known := r.young[stream]; !known && len(r.young) >= maxRecent || r.young == nil {
		r.young, r.old = make(map[string]domain.Version), r.young
	}
	r.young[stream] = v
}
