package projections

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"
)

// Micros is a moment as views keep it: microseconds since 1970, UTC, in a column
// that is BIGINT. 0 is none, and NULL in the table.
type Micros int64

// MicrosOf is a time as views keep it; the zero time is none.
func MicrosOf(t time.Time) Micros {
	if t.IsZero() {
		return 0
	}
	return Micros(t.UnixMicro())
}

// Time is the moment as a time; the zero time for none.
func (m Micros) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(m)).UTC()
}

// Scan implements [database/sql.Scanner].
func (m *Micros) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*m = 0
	case int64:
		*m = Micros(v)
	default:
		return fmt.Errorf("a moment is a number of microseconds, not %T", v)
	}
	return nil
}

// Value implements [driver.Valuer].
func (m Micros) Value() (driver.Value, error) {
	if m == 0 {
		return nil, nil //nolint:nilnil // NULL
	}
	return int64(m), nil
}

// Value is what stands in a column of a row: text, a number, or nothing.
type Value struct {
	Text string
	Int  int64
	Kind ValueKind
}

// ValueKind is what a value is.
type ValueKind uint8

// The kinds of value.
const (
	Null ValueKind = iota
	Text
	Int
	Foreign // what no view writes, such as bytes: Text says what it is. It can be read, and not folded.
)

type fieldKind uint8

const (
	textField fieldKind = iota
	intField
	boolField
	momentField
)

// field is a field of a row and the column it stands in.
type field struct {
	column string
	index  int
	kind   fieldKind
}

// fieldsOf reads which columns a struct has. One that cannot be a row is a fault of
// the program, so it panics.
func fieldsOf(row reflect.Type) []field {
	fields := make([]field, row.NumField())
	for i := range fields {
		f := row.Field(i)
		fields[i] = field{column: columnName(f.Name), index: i}
		switch {
		case !f.IsExported():
			panic(fmt.Sprintf("%v.%s: the fields of a row are exported", row, f.Name))
		case f.Type == reflect.TypeFor[Micros]():
			fields[i].kind = momentField
		case f.Type.Kind() == reflect.String:
			fields[i].kind = textField
		case f.Type.Kind() == reflect.Int, f.Type.Kind() == reflect.Int64:
			fields[i].kind = intField
		case f.Type.Kind() == reflect.Bool:
			fields[i].kind = boolField
		default:
			panic(fmt.Sprintf("%v.%s: a column is a string, int, int64, bool or Micros", row, f.Name))
		}
	}
	return fields
}

// columnName is the name of the column of a field: WorkflowVersion stands in
// workflow_version, BasisID in basis_id.
func columnName(name string) string {
	var b strings.Builder
	letters := []rune(name)
	for i, c := range letters {
		if i > 0 && unicode.IsUpper(c) && !unicode.IsUpper(letters[i-1]) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

func (f field) value(row reflect.Value) Value {
	v := row.Field(f.index)
	switch f.kind {
	case textField:
		return Value{Text: storable(v.String()), Kind: Text}
	case boolField:
		n := int64(0)
		if v.Bool() {
			n = 1
		}
		return Value{Int: n, Kind: Int}
	case momentField:
		if v.Int() == 0 {
			return Value{}
		}
		fallthrough
	default:
		return Value{Int: v.Int(), Kind: Int}
	}
}

// storable is a text that every database takes: PostgreSQL has no NUL.
func storable(s string) string {
	if strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}

func (f field) set(row reflect.Value, value Value) {
	v := row.Field(f.index)
	switch f.kind {
	case textField:
		v.SetString(value.Text)
	case boolField:
		v.SetBool(value.Int != 0)
	default:
		v.SetInt(value.Int)
	}
}
