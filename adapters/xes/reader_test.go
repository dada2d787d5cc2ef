package xes_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/adapters/xes"
	"github.com/alur-id/alur/workflows"
)

const small = `<?xml version="1.0" encoding="UTF-8" ?>
<!-- a comment -->
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
	<global scope="event"><string key="concept:name" value="UNKNOWN"/></global>
	<string key="meta" value="x"><int key="nested" value="1"/></string>
	<trace>
		<string key="concept:name" value="case &amp; 1"/>
		<date key="deadline" value="2011-02-15T00:00:00.000+01:00"><string key="nested" value="no"/></date>
		<event>
			<string key="org:resource" value="Resource01"/>
			<date key="time:timestamp" value="2011-01-06T09:18:00.000+01:00"/>
			<string key="lifecycle:transition" value="complete"/>
			<string key="concept:name" value="Check"><string key="concept:name" value="nested"/></string>
		</event>
		<event><string key="concept:name" value="Sign"/><date key="time:timestamp" value="yesterday"/></event>
	</trace>
	<trace></trace>
</log>
`

func read(input io.Reader) ([]workflows.Trace, error) {
	var traces []workflows.Trace
	for t, err := range xes.Read("log.xes", input) {
		if err != nil {
			return traces, err
		}
		traces = append(traces, t)
	}
	return traces, nil
}

func gz(s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func TestRead(t *testing.T) {
	want := []workflows.Trace{
		{
			Name: "case & 1",
			Attributes: []workflows.Attribute{
				{Key: "concept:name", Kind: "string", Value: "case & 1"},
				{Key: "deadline", Kind: "date", Value: "2011-02-15T00:00:00.000+01:00"},
			},
			Events: []workflows.TraceEvent{
				{Name: "Check", Lifecycle: "complete", Resource: "Resource01", Time: time.Date(2011, 1, 6, 8, 18, 0, 0, time.UTC)},
				{Name: "Sign", TimeText: "yesterday"},
			},
		},
		{},
	}
	latin := strings.Replace(strings.Replace(small, "UTF-8", "ISO-8859-1", 1), "Resource01", "Ren\xe9", 1)
	latinWant := []workflows.Trace{want[0], want[1]}
	latinWant[0].Events = append([]workflows.TraceEvent{}, want[0].Events...)
	latinWant[0].Events[0].Resource = "René"
	for name, c := range map[string]struct {
		input []byte
		want  []workflows.Trace
	}{
		"plain":             {[]byte(small), want},
		"gzip":              {gz(small), want},
		"byte order mark":   {[]byte("\uFEFF" + small), want},
		"Latin-1":           {[]byte(latin), latinWant},
		"no cases":          {[]byte("<log/>"), nil},
		"without namespace": {[]byte(strings.Replace(small, ` xmlns="http://www.xes-standard.org/"`, "", 1)), want},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(bytes.NewReader(c.input))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	whole := gz(strings.Repeat(" ", 1<<16) + small)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-6] ^= 0xff // in the checksum
	for name, c := range map[string]struct {
		input []byte
		want  string // in the message
		cases int    // read before the fault
	}{
		"nothing":               {nil, "empty", 0},
		"only gzip's magic":     {[]byte{0x1f, 0x8b}, "broken gzip", 0},
		"gzip cut off":          {whole[:len(whole)-20], "cut off", 1},
		"gzip with a flaw":      {flipped, "broken gzip", 2},
		"other XML":             {[]byte("<html></html>"), "not <log>", 0},
		"no XML":                {[]byte("case,activity\n1,a\n"), "not XES", 0},
		"cut off in a case":     {[]byte(small[:strings.Index(small, "Sign")]), "cut off", 0},
		"cut off behind one":    {[]byte(small[:strings.Index(small, "</trace>")+9]), "cut off", 1},
		"crossed elements":      {[]byte("<log><trace></log></trace>"), "closes nothing", 0},
		"two roots":             {[]byte("<log/><log/>"), "second root", 0},
		"unknown entity":        {[]byte(`<log><trace><string key="a" value="&lol;"/></trace></log>`), "entity", 0},
		"XML bomb":              {[]byte(`<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><log>&lol2;</log>`), "document type", 0},
		"very deep":             {[]byte("<log>" + strings.Repeat("<list>", 200)), "deep", 0},
		"very long text":        {append([]byte(`<log><string key="a" value="`), bytes.Repeat([]byte("x"), 2<<20)...), "longer than", 0},
		"a very long case":      {[]byte("<log><trace>" + strings.Repeat(`<string key="a" value="`+strings.Repeat("x", 1<<19)+`"/>`, 33)), "a case is longer than 16 MiB", 0},
		"unknown character set": {[]byte(`<?xml version="1.0" encoding="klingon"?><log/>`), "klingon", 0},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(bytes.NewReader(c.input))
			var fault *xes.Error
			if !errors.As(err, &fault) {
				t.Fatalf("got %v, want an *xes.Error", err)
			}
			if !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "log.xes:") {
				t.Errorf("%v; want log.xes: and %q in it", err, c.want)
			}
			if len(got) != c.cases {
				t.Errorf("%d cases before the fault, want %d", len(got), c.cases)
			}
		})
	}
}

func TestCheckCompression(t *testing.T) {
	flipped := gz(small)
	flipped[len(flipped)-6] ^= 0xff
	for name, c := range map[string]struct {
		input []byte
		good  bool
	}{
		"plain": {[]byte(small), true}, "nothing": {nil, true}, "gzip": {gz(small), true}, "two gzips": {append(gz("<log>"), gz("</log>")...), true},
		"flawed": {flipped, false}, "cut off": {gz(small)[:100], false}, "followed by rubbish": {append(gz(small), "rubbish"...), false},
	} {
		input := bytes.NewReader(c.input)
		if err := xes.CheckCompression("log.xes", input); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
		if c.good && input.Len() != len(c.input) {
			t.Errorf("%s: the input is not at its beginning", name)
		}
	}
}

// The counts of the real logs are those of shared/data/SOURCES.md.
func TestReadRealLogs(t *testing.T) {
	for name, want := range map[string]struct{ cases, events, equal int }{
		"receipt.xes.gz":           {1434, 8577, 0},
		"BPIC15_1.xes.gz":          {1199, 52217, 1},
		"running-example.xes":      {6, 42, 0},
		"roadtraffic100traces.xes": {100, 390, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "logs", name))
			if errors.Is(err, os.ErrNotExist) {
				if os.Getenv("CI") != "" {
					t.Fatalf("the real log is missing in CI: %v", err)
				}
				t.Skipf("THE REAL LOG %s IS NOT BESIDE THE CHECKOUT: not tested", name)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			traces, err := read(f)
			if err != nil {
				t.Fatal(err)
			}
			events, equal := 0, 0
			for _, trace := range traces {
				events += len(trace.Events)
				for i := 1; i < len(trace.Events); i++ {
					if trace.Events[i].Time.Equal(trace.Events[i-1].Time) {
						equal++
					}
				}
			}
			if len(traces) != want.cases || events != want.events {
				t.Errorf("%d cases and %d events, want %d and %d", len(traces), events, want.cases, want.events)
			}
			if (equal > 0) != (want.equal > 0) {
				t.Errorf("%d events at the very time of the one before", equal)
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "logs", "BPIC15_1.xes.gz"))
	if err != nil {
		b.Skip(err)
	}
	events := 0
	for b.Loop() {
		traces, err := read(bytes.NewReader(data))
		if err != nil {
			b.Fatal(err)
		}
		for _, t := range traces {
			events += len(t.Events)
		}
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}
