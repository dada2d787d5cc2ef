package sqlite

import (
	"encoding/binary"
	"io"
)

// fragment is how many bytes in a row of a secret are a trace of it. Copies lie in
// what pages do not use and are overwritten there from any side, so a part may be
// left of one. Fewer bytes would be found in a large file by chance, and so few
// tell nothing of a key.
const fragment = 8

// traces are what is looked for: every fragment of some secrets.
type traces struct {
	all    map[uint64]struct{}
	likely [1 << 16]bool // by the last two bytes: nearly all others are passed over here
	short  bool          // a secret is shorter than a fragment: it cannot be looked for
}

func newTraces(secrets [][]byte) *traces {
	t := &traces{all: map[uint64]struct{}{}}
	for _, s := range secrets {
		t.short = t.short || len(s) < fragment
		for ; len(s) >= fragment; s = s[1:] {
			f := binary.BigEndian.Uint64(s)
			t.all[f] = struct{}{}
			t.likely[uint16(f)] = true
		}
	}
	return t
}

// in reports whether there may be a trace in a file.
func (t *traces) in(file io.ReaderAt) (bool, error) {
	if t.short {
		return true, nil
	}
	buf := make([]byte, 1<<20)
	last := uint64(0) // the last eight bytes, wherever the pieces that are read begin
	for at := int64(0); ; {
		n, err := file.ReadAt(buf, at)
		for _, b := range buf[:n] {
			last = last<<8 | uint64(b)
			if !t.likely[uint16(last)] {
				continue
			}
			if _, ok := t.all[last]; ok {
				return true, nil
			}
		}
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		at += int64(n)
	}
}
