package postgres

import (
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"
)

// The binary form of values on the wire, written and read by hand: the log sends
// and gets a few kinds only, and many of them.

// The numbers that PostgreSQL gives its types.
const (
	oidBytes = 17
	oidInt8  = 20
	oidText  = 25
	oidUUID  = 2950
)

// array is a one-dimensional array without nulls, in the making.
type array struct {
	b []byte
	n int
}

const arrayHeader = 20

// newArray has room for n elements of some bytes altogether.
func newArray(oid uint32, n, bytes int) *array {
	b := make([]byte, 0, arrayHeader+4*n+bytes)
	b = binary.BigEndian.AppendUint32(b, 1) // dimensions
	b = binary.BigEndian.AppendUint32(b, 0) // no nulls
	b = binary.BigEndian.AppendUint32(b, oid)
	b = binary.BigEndian.AppendUint32(b, 0) // elements: see done
	b = binary.BigEndian.AppendUint32(b, 1) // the first index
	return &array{b: b}
}

// add appends an element in its binary form.
func add[T []byte | string](a *array, element T) {
	a.b = binary.BigEndian.AppendUint32(a.b, uint32(len(element)))
	a.b = append(a.b, element...)
	a.n++
}

func (a *array) addNumber(v int64) {
	a.b = binary.BigEndian.AppendUint32(a.b, 8)
	a.b = binary.BigEndian.AppendUint64(a.b, uint64(v))
	a.n++
}

func (a *array) done() []byte {
	binary.BigEndian.PutUint32(a.b[12:], uint32(a.n))
	return a.b
}

func int8Of(v int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(v)) }

// number reads a bigint.
func number(b []byte) int64 {
	if len(b) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// numbers reads an array of as many bigints without nulls.
func numbers(b []byte, n int) ([]int64, error) {
	const element = 4 + 8
	if len(b) != arrayHeader+n*element || binary.BigEndian.Uint32(b[8:]) != oidInt8 {
		return nil, fmt.Errorf("%w: %d bytes are not %d numbers", errDamaged, len(b), n)
	}
	all := make([]int64, n)
	for i := range all {
		all[i] = number(b[arrayHeader+i*element+4:][:8])
	}
	return all, nil
}

func idOf(b []byte) (id uuid.UUID, err error) {
	if len(b) != len(id) {
		return id, fmt.Errorf("%w: an id of %d bytes", errDamaged, len(b))
	}
	return uuid.UUID(b), nil
}
