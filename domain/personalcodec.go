package domain

import (
	"encoding/json"
	"maps"
	"slices"
)

// appendMap writes what encoding/json would write, keys sorted: the same data is
// the same text. Every command with personal data passes here twice.
func appendMap(b []byte, m map[string]any) ([]byte, error) {
	if m == nil {
		return append(b, "null"...), nil
	}
	var room [8]string
	keys := slices.AppendSeq(room[:0], maps.Keys(m))
	slices.Sort(keys)
	b = append(b, '{')
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendValue(append(appendText(b, key), ':'), m[key]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// appendValue leaves what is rare in a form to encoding/json.
func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return appendText(b, v), nil
	case map[string]any:
		return appendMap(b, v)
	}
	text, err := json.Marshal(v)
	return append(b, text...), err
}
