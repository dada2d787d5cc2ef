package domain

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// written reads, from left to right, a text whose form is known. Once it has
// failed, what it returns means nothing.
type written struct {
	rest   string
	failed bool
}

func (r *written) has(s string) bool {
	rest, ok := strings.CutPrefix(r.rest, s)
	if ok {
		r.rest = rest
	}
	return ok
}

func (r *written) literal(s string) { r.failed = !r.has(s) || r.failed }

func (r *written) note(err error) { r.failed = r.failed || err != nil }

// text fails for one with escapes, and for what encoding/json would mend.
func (r *written) text() string {
	if len(r.rest) == 0 || r.rest[0] != '"' {
		r.failed = true
		return ""
	}
	for i := 1; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case c == '"':
			s := r.rest[1:i]
			r.rest = r.rest[i+1:]
			return s
		case c == '\\' || c < ' ' || c > '~':
			r.failed = true
			return ""
		}
	}
	r.failed = true
	return ""
}

func (r *written) number() int {
	i := 0
	for i < len(r.rest) && r.rest[i] >= '0' && r.rest[i] <= '9' {
		i++
	}
	n, err := strconv.Atoi(r.rest[:i])
	r.note(err)
	r.failed = r.failed || i > 1 && r.rest[0] == '0'
	r.rest = r.rest[i:]
	return n
}

func (r *written) uuid() uuid.UUID {
	id, err := uuid.Parse(r.text())
	r.note(err)
	return id
}

func (r *written) time() time.Time {
	t, err := time.Parse(time.RFC3339Nano, r.text())
	r.note(err)
	return t
}

func (r *written) hash() (h Hash) {
	r.note(h.UnmarshalText([]byte(r.text())))
	return h
}

func (r *written) bytes() []byte {
	b, err := base64.StdEncoding.Strict().DecodeString(r.text())
	r.note(err)
	return b
}
