// Package xes reads event logs in XES, the XML format of IEEE 1849, as they are
// published: plain or gzip, with or without a namespace, of any size. One case is
// in memory at a time.
package xes

import (
	"bufio"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"github.com/alur-id/alur/workflows"
)

// Limits beyond which a file is not a log but an attack, or a mistake.
const (
	maxDepth = 100      // elements within elements
	maxToken = 1 << 20  // bytes of one tag or text
	maxCase  = 16 << 20 // bytes of one case
)

// Error says what is wrong with a file, and where. Line and Column count from 1;
// both are 0 when the fault lies before the XML begins.
type Error struct {
	File         string
	Line, Column int
	Err          error
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d:%d: %v", e.File, e.Line, e.Column, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Read yields the cases of a log in the order of the file. An error, an
// [*Error], ends the sequence; the cases before it were whole. File names the
// place in errors. Whether the input is compressed is seen from its first bytes.
func Read(file string, input io.Reader) iter.Seq2[workflows.Trace, error] {
	return func(yield func(workflows.Trace, error) bool) {
		plain, err := decompress(input)
		if err != nil {
			yield(workflows.Trace{}, &Error{File: file, Err: err})
			return
		}
		p := newParser(plain)
		for {
			t, err := p.next()
			switch {
			case errors.Is(err, errEnd):
				return
			case err != nil:
				line, column := p.xml.InputPos()
				yield(workflows.Trace{}, &Error{File: file, Line: line, Column: column, Err: err})
				return
			case !yield(t, nil):
				return
			}
		}
	}
}

func decompress(input io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(input, 1<<16)
	magic, err := b.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(magic) < 2 || magic[0] != 0x1f || magic[1] != 0x8b {
		return b, nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, fmt.Errorf("broken gzip: %w", err)
	}
	return z, nil
}

// CheckCompression reads a compressed log to its end, so that a fault that only
// the checksum at the end betrays is known before anything is believed. Of a log
// that is not compressed it reads nothing. The input is then at its beginning.
func CheckCompression(file string, input io.ReadSeeker) error {
	plain, err := decompress(input)
	if _, compressed := plain.(*gzip.Reader); err == nil && compressed {
		if _, err = io.Copy(io.Discard, plain); err != nil {
			err = fmt.Errorf("broken gzip: %w", err)
		}
	}
	if err != nil {
		return &Error{File: file, Err: err}
	}
	_, err = input.Seek(0, io.SeekStart)
	return err
}

// rationed fails a read when too much was read since the last token: the decoder
// would otherwise hold a text of any length in memory.
type rationed struct {
	io.Reader
	left int
}

func (r *rationed) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, fmt.Errorf("a single tag or text is longer than %d MiB", maxToken>>20)
	}
	n, err := r.Reader.Read(p)
	r.left -= n
	return n, err
}

// errEnd is the end of a well-formed file.
var errEnd = errors.New("end of log")

type parser struct {
	xml    *xml.Decoder
	ration *rationed
	open   []string // the elements we are in
	root   bool     // the root element was seen
	began  int64    // where the present case began; 0 outside of cases
}

func newParser(input io.Reader) *parser {
	p := &parser{ration: &rationed{Reader: input, left: maxToken}}
	p.xml = xml.NewDecoder(p.ration)
	p.xml.CharsetReader = func(label string, input io.Reader) (io.Reader, error) {
		enc, err := htmlindex.Get(label)
		if err != nil {
			return nil, fmt.Errorf("character set %q is not known", label)
		}
		return enc.NewDecoder().Reader(input), nil
	}
	return p
}

// token returns the next start or end of an element, and checks what the raw
// decoder leaves unchecked: that elements close as they opened. The raw form is
// half again as fast as the one that resolves namespaces, and logs disagree
// about the namespace anyway.
func (p *parser) token() (xml.Token, error) {
	for {
		p.ration.left = maxToken
		if p.began > 0 && p.xml.InputOffset()-p.began > maxCase {
			return nil, fmt.Errorf("a case is longer than %d MiB", maxCase>>20)
		}
		t, err := p.xml.RawToken()
		if err != nil {
			return nil, p.fault(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if len(p.open) == maxDepth {
				return nil, fmt.Errorf("elements within elements, more than %d deep", maxDepth)
			}
			if p.root && len(p.open) == 0 {
				return nil, fmt.Errorf("a second root element <%s>", t.Name.Local)
			}
			p.root = true
			p.open = append(p.open, t.Name.Local)
			return t, nil
		case xml.EndElement:
			if len(p.open) == 0 || p.open[len(p.open)-1] != t.Name.Local {
				return nil, fmt.Errorf("</%s> closes nothing that is open", t.Name.Local)
			}
			p.open = p.open[:len(p.open)-1]
			return t, nil
		case xml.Directive:
			return nil, errors.New("a document type declaration is not accepted in a log")
		case xml.CharData:
			if len(p.open) == 0 && strings.Trim(string(t), "\uFEFF \t\r\n") != "" {
				return nil, errors.New("text outside of the log: this is not XES")
			}
		}
	}
}

func (p *parser) fault(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, io.EOF) && p.root && len(p.open) == 0:
		return errEnd
	case errors.Is(err, io.EOF) && !p.root:
		return errors.New("the file is empty")
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return fmt.Errorf("broken gzip: %w", err)
	case p.root && len(p.open) == 0:
		return fmt.Errorf("something behind the end of the log cannot be read: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the file ends inside <%s>: it is cut off", strings.Join(p.open, "><"))
	case errors.As(err, &syntax):
		if syntax.Msg == "unexpected EOF" {
			return fmt.Errorf("the file ends inside <%s>: it is cut off", strings.Join(p.open, "><"))
		}
		return fmt.Errorf("not well-formed XML: %s", syntax.Msg)
	}
	return err
}

// next is the next trace.
func (p *parser) next() (workflows.Trace, error) {
	for {
		t, err := p.token()
		if err != nil {
			return workflows.Trace{}, err
		}
		start, ok := t.(xml.StartElement)
		switch {
		case !ok:
		case len(p.open) == 1 && start.Name.Local != "log":
			return workflows.Trace{}, fmt.Errorf("the root element is <%s>, not <log>: this is not XES", start.Name.Local)
		case len(p.open) == 2 && start.Name.Local == "trace":
			return p.trace()
		}
	}
}

func (p *parser) trace() (workflows.Trace, error) {
	var t workflows.Trace
	depth := len(p.open)
	p.began = p.xml.InputOffset()
	defer func() { p.began = 0 }()
	for {
		token, err := p.token()
		if err != nil {
			return t, err
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok && len(p.open) < depth:
			return t, nil
		case !ok || len(p.open) != depth+1: // an attribute of an attribute
		case start.Name.Local == "event":
			e, err := p.event()
			if err != nil {
				return t, err
			}
			t.Events = append(t.Events, e)
		default:
			key, value := keyValue(start)
			if key == "concept:name" {
				t.Name = value
			}
			t.Attributes = append(t.Attributes, workflows.Attribute{Key: key, Kind: workflows.AttributeKind(start.Name.Local), Value: value})
		}
	}
}

func (p *parser) event() (workflows.TraceEvent, error) {
	var e workflows.TraceEvent
	depth := len(p.open)
	for {
		token, err := p.token()
		if err != nil {
			return e, err
		}
		start, ok := token.(xml.StartElement)
		switch {
		case !ok && len(p.open) < depth:
			return e, nil
		case !ok || len(p.open) != depth+1:
			continue
		}
		key, value := keyValue(start)
		switch key {
		case "concept:name":
			e.Name = value
		case "lifecycle:transition":
			e.Lifecycle = value
		case "org:resource":
			e.Resource = value
		case "org:role":
			e.Role = value
		case "org:group":
			e.Group = value
		case "time:timestamp":
			if e.Time, err = workflows.ParseTime(value); err != nil {
				e.TimeText = value
			}
		}
	}
}

func keyValue(s xml.StartElement) (key, value string) {
	for _, a := range s.Attr {
		switch a.Name.Local {
		case "key":
			key = a.Value
		case "value":
			value = a.Value
		}
	}
	return key, value
}
