package domain

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// The rules by which the work of a state is given out.
const (
	AllocateByOrder = "order"        // whoever picks it
	AllocateByLoad  = "least_loaded" // who has the least to do; of several, by lot
	AllocateByLot   = "lottery"      // by lot
)

// AllocationRules lists every rule of allocation.
func AllocationRules() []string {
	return []string{AllocateByOrder, AllocateByLoad, AllocateByLot}
}

// Allocation is what the work of a state is given out by.
//
// The seed decides where there is a choice: 32 bytes, in hex. It serves one draw and is
// then known to all who may read the request, so that anybody can draw again. Who draws
// often from one secret, to which they are bound beforehand, derives each seed from it.
type Allocation struct {
	Seed       string      `json:"seed"`
	Candidates []Candidate `json:"candidates"` // in the order of their pseudonyms
}

// Candidate is an officer who may be given work, and how much they have to do, as
// whoever asks for the allocation counts it.
type Candidate struct {
	Officer string `json:"officer"` // pseudonym
	Load    int    `json:"load"`
}

const (
	maxCandidates = 500
	maxLoad       = 1_000_000
	seedBytes     = 32
)

// pick is who the work goes to by a rule; empty when all candidates are barred. Of
// those who are not, least_loaded leaves the ones with the least to do. One of n is
// then drawn, in the order of their pseudonyms: the first 8 bytes of
//
//	HMAC-SHA-256(seed, request id [16 bytes] || ready [8 bytes] || attempt [4 bytes])
//
// are a number, numbers big-endian and attempts counted from 0. The first number below
// the largest multiple of n that 64 bits hold says who, by its remainder. (As in RFC
// 3797, whoever has the inputs comes to the same.)
func (a Allocation) pick(rule string, request uuid.UUID, ready Version, barred []string) string {
	pool := slices.DeleteFunc(a.sorted(), func(c Candidate) bool { return slices.Contains(barred, c.Officer) })
	if len(pool) == 0 {
		return ""
	}
	if rule == AllocateByLoad {
		least := slices.MinFunc(pool, func(x, y Candidate) int { return cmp.Compare(x.Load, y.Load) }).Load
		pool = slices.DeleteFunc(pool, func(c Candidate) bool { return c.Load != least })
	}
	return pool[a.draw(uint64(len(pool)), request, ready)].Officer
}

// draw is a number below n, each as likely as any other.
func (a Allocation) draw(n uint64, request uuid.UUID, ready Version) uint64 {
	seed, _ := hex.DecodeString(a.Seed) // checked when it came in
	most := math.MaxUint64 - (math.MaxUint64%n+1)%n
	for attempt := uint32(0); ; attempt++ {
		mac := hmac.New(sha256.New, seed)
		text := binary.BigEndian.AppendUint64(request[:len(request):len(request)], uint64(ready))
		mac.Write(binary.BigEndian.AppendUint32(text, attempt))
		if drawn := binary.BigEndian.Uint64(mac.Sum(nil)); drawn <= most {
			return drawn % n
		}
	}
}

// sorted is the candidates in the order of their pseudonyms.
func (a Allocation) sorted() []Candidate {
	return slices.SortedFunc(slices.Values(a.Candidates), func(x, y Candidate) int { return strings.Compare(x.Officer, y.Officer) })
}

// check refuses what nobody could be fairly picked from.
func (a Allocation) check(role RoleID) error {
	if len(a.Candidates) == 0 || len(a.Candidates) > maxCandidates {
		return refuse(RuleTask, fmt.Sprintf("%d candidates are no pool to give work out of", len(a.Candidates)), fmt.Sprintf("name 1 to %d who could do it", maxCandidates))
	}
	seed, err := hex.DecodeString(a.Seed)
	if err != nil || len(seed) != seedBytes || a.Seed != strings.ToLower(a.Seed) {
		return refuse(RuleTask, "the seed of the draw is not one", fmt.Sprintf("give %d random bytes in hexadecimal digits, small letters", seedBytes))
	}
	list := a.sorted()
	for i, c := range list {
		if err := (Actor{ID: c.Officer, Role: role, Capacity: CapacityOfficer}).Check(); err != nil {
			return err
		}
		switch {
		case slices.ContainsFunc(list[:i], func(other Candidate) bool { return samePerson(other.Officer, c.Officer) }):
			return refuse(RuleTask, fmt.Sprintf("candidate %q is named twice", c.Officer), "name each once: twice would be two lots")
		case c.Load < 0 || c.Load > maxLoad:
			return refuse(RuleTask, fmt.Sprintf("candidate %q has a load of %d", c.Officer, c.Load), fmt.Sprintf("give the number of tasks they have, at most %d", maxLoad))
		}
	}
	return nil
}
