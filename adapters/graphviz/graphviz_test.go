package graphviz

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/picture"
)

var services = []string{"../../workflows/testdata/definitions/pbg.yaml", "../../workflows/catalogue/11.71/sip-dokter.yaml"}

func read(t *testing.T, path string) *workflows.Definition {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, source)
}

func parsed(t *testing.T, source []byte) *workflows.Definition {
	t.Helper()
	d, err := workflows.Read("w.yaml", source)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func depict(t *testing.T, d *workflows.Definition, lang string, here domain.StateID) *picture.Picture {
	t.Helper()
	p, err := picture.Depict(d, lang, here)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func svg(t *testing.T, r *Renderer, p *picture.Picture) string {
	t.Helper()
	b, err := r.SVG(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// drawing is what a picture says: its words in sentences, and those that are seen.
type drawing struct{ title, desc, seen string }

// examine reads a picture as strictly as a browser does, and refuses all that it
// could fetch or run.
func examine(t *testing.T, svg string) drawing {
	t.Helper()
	var d drawing
	var in []string
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, svg)
		}
		switch x := token.(type) {
		case xml.StartElement:
			in = append(in, x.Name.Local)
			if !slices.Contains(append([]string{"title", "desc"}, elements...), x.Name.Local) {
				t.Errorf("element %s", x.Name.Local)
			}
			for _, a := range x.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") || strings.Contains(a.Value, "url(") ||
					strings.Contains(a.Value, ":") && a.Value != namespace {
					t.Errorf("attribute %s=%q", a.Name.Local, a.Value)
				}
			}
		case xml.EndElement:
			in = in[:len(in)-1]
		case xml.CharData:
			switch in = append(in, ""); in[max(0, len(in)-2)] {
			case "title":
				d.title += string(x)
			case "desc":
				d.desc += string(x)
			case "text":
				d.seen += " " + string(x)
			}
			in = in[:len(in)-1]
		case xml.Comment, xml.ProcInst, xml.Directive:
			t.Errorf("%T in the picture", x)
		}
	}
	d.seen = strings.Join(strings.Fields(strings.ReplaceAll(d.seen, "\u00a0", " ")), " ")
	return d
}

func TestPictureShowsEveryStateAndAction(t *testing.T) {
	r := New()
	for _, path := range services {
		d := read(t, path)
		for _, lang := range []string{"id", "en"} {
			got := examine(t, svg(t, r, depict(t, d, lang, "")))
			if !strings.HasSuffix(got.title, d.Title.In(lang)) {
				t.Errorf("the title is %q", got.title)
			}
			for _, s := range d.States {
				says(t, got, s.Title.In(lang))
			}
			for _, a := range d.Actions {
				says(t, got, a.Title.In(lang))
			}
		}
	}
}

func says(t *testing.T, d drawing, words string) {
	t.Helper()
	if !strings.Contains(d.desc, words) || !strings.Contains(d.seen, words) {
		t.Errorf("the picture does not say %q:\n%s\n%s", words, d.desc, d.seen)
	}
}

func TestPictureEscapes(t *testing.T) {
	const title = `<script>alert("1")</script> 'a' & ]]> <!-- \N -->`
	long := strings.Repeat("panjang ", 20) + strings.Repeat("x", 90)
	d := read(t, services[0])
	d.Title.ID, d.States[0].Title.ID = title, title
	d.Actions[0].Title.ID = "satu\ndua\x00\u202e\xff " + long
	// Graphviz writes names of its own for these: the state's for \N, the graph's for \G.
	const slashes = `D:\Nota\G \E \T \H \L \\ \\N \n \`
	d.States[1].Title.ID, d.Actions[1].Title.ID = slashes, slashes+"edge"
	got := examine(t, svg(t, New(), depict(t, d, "id", "submitted")))
	says(t, got, title)
	says(t, got, slashes)
	says(t, got, slashes+"edge")
	if !strings.Contains(got.desc, "satu dua panjang") || !strings.Contains(got.seen, "satu dua panjang") {
		t.Errorf("the action is not there: %s", got.seen)
	}
}

// A request is shown in the same layout, by a border and by words.
func TestPictureShowsTheRequest(t *testing.T) {
	r := New()
	d := read(t, services[0])
	plain := svg(t, r, depict(t, d, "id", ""))
	numbers := regexp.MustCompile(`viewBox="[^"]*"|<text [^>]*x="[^"]*" y="[^"]*"`)
	for _, s := range d.States {
		marked := svg(t, r, depict(t, d, "id", s.ID))
		if strings.Count(marked, "; Permohonan di sini") != 1 || strings.Count(marked, ">▶ Permohonan di sini<") != 1 || strings.Contains(plain, "di sini") {
			t.Errorf("%s: the request is not shown once", s.ID)
		}
		if !regexp.MustCompile(`<g id="state-` + string(s.ID) + `" class="[^"]* here">\n<[^>]* stroke-width="4"`).MatchString(marked) {
			t.Errorf("%s has no thick border", s.ID)
		}
		want, got := numbers.FindAllString(plain, -1), numbers.FindAllString(marked, -1)
		if !slices.Equal(want, got[:len(want)]) {
			t.Errorf("%s: the layout changed", s.ID)
		}
		examine(t, marked)
	}
	if r.made != 1 {
		t.Errorf("%d layouts for one version", r.made)
	}
}

func TestPicturesAreTheSameEveryTime(t *testing.T) {
	want := map[string]string{}
	shared := New()
	var wg sync.WaitGroup
	for _, path := range services {
		for _, lang := range []string{"id", "en"} {
			d := read(t, path)
			p := depict(t, d, lang, d.States[1].ID)
			want[path+lang] = svg(t, New(), p)
			for range 6 {
				wg.Go(func() {
					got, err := shared.SVG(context.Background(), p)
					if err != nil || string(got) != want[path+lang] {
						t.Errorf("%s in %s: another picture (%v)", path, lang, err)
					}
				})
			}
			wg.Wait()
		}
	}
	if shared.made != 4 {
		t.Errorf("%d layouts of 4 pictures", shared.made)
	}
}

// Many pictures at once, each with a layout of its own.
func TestConcurrentLayouts(t *testing.T) {
	r := New()
	var wg sync.WaitGroup
	for i := range 24 {
		d := read(t, services[i%2])
		d.Title.ID = fmt.Sprintf("Izin %d", i)
		p := depict(t, d, "id", "")
		wg.Go(func() {
			got, err := r.SVG(context.Background(), p)
			if err != nil || !bytes.Contains(got, []byte(d.Title.ID+"</text>")) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

// Whoever goes away while a picture is made breaks nothing for the next.
func TestCancelledContext(t *testing.T) {
	r := New()
	p := depict(t, read(t, services[0]), "id", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		if _, err := r.SVG(ctx, p); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	svg(t, r, p)
}

// generated is a service of so many steps in a row, each of which can send a request
// back some steps, with a withdrawal from all of them.
func generated(t *testing.T, steps int) *workflows.Definition {
	t.Helper()
	var states, actions, ways, names strings.Builder
	for i := range steps {
		kind, next := "work", fmt.Sprintf("s%d", i+1)
		if i == 0 {
			kind = "start"
		}
		if i == steps-1 {
			next = "done"
		}
		fmt.Fprintf(&states, "  - {id: s%d, kind: %s, public: in_process, owner: clerk, title: {id: Langkah %d, en: Step %d}}\n", i, kind, i, i)
		fmt.Fprintf(&actions, "  - {id: a%d, title: {id: Teruskan %d, en: Forward %d}}\n  - {id: b%d, title: {id: Kembalikan %d, en: Back %d}}\n", i, i, i, i, i, i)
		fmt.Fprintf(&ways, "  - {action: a%d, from: [s%d], to: %s, roles: [clerk]}\n  - {action: b%d, from: [s%d], to: s%d, roles: [clerk]}\n", i, i, next, i, i, i*7919%(i+1)/2)
		fmt.Fprintf(&names, "s%d, ", i)
	}
	return parsed(t, []byte(`alur: 1
id: big
title: {id: Besar, en: Big}
agency: {id: Dinas, en: Office}
office: dinas
roles:
  - {id: applicant, title: {id: Pemohon, en: Applicant}, capacities: [self]}
  - {id: clerk, title: {id: Petugas, en: Clerk}, capacities: [officer]}
submit: [applicant]
states:
`+states.String()+`  - {id: done, kind: end, outcome: approved, public: approved, title: {id: Terbit, en: Issued}}
  - {id: gone, kind: end, outcome: withdrawn, public: withdrawn, title: {id: Batal, en: Withdrawn}}
actions:
`+actions.String()+`  - {id: withdraw, title: {id: Batalkan, en: Withdraw}}
transitions:
`+ways.String()+"  - {action: withdraw, kind: withdraw, from: ["+strings.TrimSuffix(names.String(), ", ")+"], to: gone, roles: [applicant]}\n"))
}

func TestManyStates(t *testing.T) {
	d := generated(t, 200)
	got := examine(t, svg(t, New(), depict(t, d, "id", "s77")))
	for _, s := range d.States {
		says(t, got, s.Title.ID)
	}
	if n := strings.Count(got.seen, "Batalkan"); n != 1 {
		t.Errorf("the withdrawal that is possible from everywhere is drawn %d times", n)
	}
	_, err := New().SVG(t.Context(), depict(t, generated(t, mostBoxes), "id", ""))
	var large *TooLargeError
	if !errors.As(err, &large) || !strings.Contains(err.Error(), "dot or mermaid") {
		t.Errorf("too many states: %v", err)
	}
}

// The words at a request are within the picture, however narrow that is.
func TestFlagIsWithinThePicture(t *testing.T) {
	const words = "Permohonan di sini"
	for _, c := range []struct{ width, left, wantX, wantWidth float64 }{
		{300, 10, 0, 300},  // at the left edge
		{300, 270, 0, 300}, // at the right
		{300, 140, 0, 300},
		{50, 15, (50 - flagWidth(words) - 4) / 2, flagWidth(words) + 4},
	} {
		root, err := parse(fmt.Appendf(nil, `<svg viewBox="0 0 %[1]v 90"><g><polygon points="0,0 %[1]v,90"/><g id="a" class="state"><polygon points="%[2]v,20 %[3]v,70"/></g></g></svg>`,
			c.width, c.left, c.left+20))
		if err != nil {
			t.Fatal(err)
		}
		if err := mark(root, "a", words); err != nil {
			t.Fatal(err)
		}
		var x, y, width, height float64
		if _, err := fmt.Sscan(root.attr("viewBox"), &x, &y, &width, &height); err != nil {
			t.Fatal(err)
		}
		if math.Abs(x-c.wantX) > 0.1 || math.Abs(width-c.wantWidth) > 0.1 {
			t.Errorf("%v: the picture begins at %v and is %v wide", c, x, width)
		}
		var flag box
		flag.hold(root.children[0].children[2].children[0].attr("points"))
		if flag.left < x || flag.right > x+width || flag.top < 20 || flag.bottom > 70 {
			t.Errorf("%v: the flag is at %v", c, flag)
		}
	}
	if err := mark(&element{children: []*element{{}}}, "a", words); err == nil {
		t.Error("what is not there was marked")
	}
}

// A layout that takes too long or too much memory is given up, and the next is made
// as if nothing had been.
func TestBounds(t *testing.T) {
	p := depict(t, read(t, services[0]), "id", "")
	want := svg(t, New(), p)
	r := New()
	r.engine.patience = time.Microsecond
	var large *TooLargeError
	if _, err := r.SVG(t.Context(), p); !errors.As(err, &large) {
		t.Errorf("in no time: %v", err)
	}
	r.engine.patience = mostTime
	if got := svg(t, r, p); got != want {
		t.Error("another picture after one that was given up")
	}
	e := engine{pages: 120, patience: mostTime}
	var fan strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&fan, "a%d -> b;", i)
	}
	for _, dot := range []string{`digraph { a [label="` + strings.Repeat("x ", 4<<20) + `"] }`, "digraph {" + fan.String() + "}"} {
		if _, err := e.svg(t.Context(), dot); !errors.Is(err, errTooMuch) {
			t.Errorf("in little memory: %v", err)
		}
	}
	if got, err := e.svg(t.Context(), "digraph { a }"); err != nil || !bytes.Contains(got, []byte("<svg")) {
		t.Errorf("after what took too much memory: %v", err)
	}
	if _, err := e.svg(t.Context(), "digraph {"); err == nil || errors.Is(err, errTooMuch) {
		t.Errorf("what is no graph gives %v", err)
	}
}
