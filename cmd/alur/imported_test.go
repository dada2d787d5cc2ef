package main

import (
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/projections"
)

// importedLog imports an event log under a draft that is made of it, into a new database.
func importedLog(t *testing.T, text []byte) (db string) {
	t.Helper()
	dir := t.TempDir()
	xes, draft, db := filepath.Join(dir, "log.xes"), filepath.Join(dir, "draft.yaml"), filepath.Join(dir, "alur.db")
	if err := os.WriteFile(xes, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(draft, []byte(alur(t, "workflow", "discover", xes)), 0o600); err != nil {
		t.Fatal(err)
	}
	alur(t, "import", "xes", xes, "--workflow", draft, "--db", db, "--tenant", "11.71")
	return db
}

// realLog is an event log of those beside the checkout.
func realLog(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "logs", name))
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") == "" {
		t.Skip("THE REAL LOGS ARE NOT BESIDE THE CHECKOUT: not tested")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var file io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if file, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// All views say of the same imported cases that they are open: those of which the record
// has no end. Of these, the inbox has those that stand where somebody can act.
func TestViewsAgreeOnWhichImportedCasesAreOpen(t *testing.T) {
	text := realLog(t, "receipt.xes.gz")
	var raw rawLog
	if err := xml.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, trace := range raw.Traces {
		if trace.text("enddate") == "" {
			want[trace.text("concept:name")] = true
		}
	}
	db := importedLog(t, text)
	s := newSite(t, func(x *stores) { x.db = db })
	s.waitForViews(t)

	all, err := s.status.List(t.Context(), projections.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	open, over, ending, ended := map[string]bool{}, map[string]bool{}, map[domain.Reference]bool{}, 0
	of := map[domain.Reference]string{}
	var anEnded, aResting projections.Status
	for _, x := range all {
		of[x.Reference] = x.Case
		if x.Punctuality == domain.PunctualityOpen {
			over[x.Case] = true
		}
		switch {
		case !x.Ended.IsZero() && x.Outcome == "":
			anEnded, ended = x, ended+1
		case x.Ended.IsZero():
			if open[x.Case] = true; x.Outcome != "" {
				aResting, ending[x.Reference] = x, true
			}
		}
	}
	if ended == 0 || len(ending) == 0 {
		t.Fatalf("%d ended where the draft has no end, %d are open where it has: nothing is tested", ended, len(ending))
	}
	same := func(what string, want, got map[string]bool) {
		t.Helper()
		if d := gocmp.Diff(want, got); d != "" {
			t.Errorf("open by %s (-want +got)\n%s", what, d)
		}
	}
	same("the list of requests", want, open)
	same("the punctuality in it", want, over)

	terms, err := s.terms.List(t.Context(), projections.TermFilter{Open: true})
	if err != nil {
		t.Fatal(err)
	}
	running := map[string]bool{}
	for _, x := range terms {
		running[of[x.Reference]] = true
	}
	same("their terms", want, running)

	tasks := map[string]bool{}
	for f := (projections.InboxFilter{Tenant: "11.71", Limit: projections.MostTasks}); ; {
		page, err := s.inbox.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range page.Tasks {
			tasks[of[x.Reference]] = true
		}
		if f.After = page.Next; f.After == "" {
			break
		}
	}
	for x := range ending {
		if tasks[of[x]] {
			t.Errorf("%s is in the inbox, and stands in an end", x)
		}
		tasks[of[x]] = true
	}
	same("the inbox, with those that stand in an end", want, tasks)
	counts, err := s.inbox.Count(t.Context(), projections.InboxFilter{Tenant: "11.71"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	n, late := 0, 0
	for _, c := range counts {
		n, late = n+c.Tasks, late+c.Late
	}
	figures, err := s.figures.Of(t.Context(), projections.StatisticsFilter{Service: "log"})
	if err != nil || len(figures) != 1 {
		t.Fatal(figures, err)
	}
	if got := figures[0]; got.Open != len(want) || got.Unended != len(want) || got.Resting != len(ending) || got.Overdue != late+len(ending) || n != len(want)-len(ending) {
		t.Errorf("%+v; by the file %d open, %d stand in an end, %d in the inbox, of which %d late", got, len(want), len(ending), n, late)
	}
	queues, err := s.queue.List(t.Context(), projections.QueueFilter{Tenant: "11.71"}, time.Now())
	if err != nil || len(queues) != 0 {
		t.Error(queues, err)
	}

	s.tells(t, anEnded, "Ended, by the system it came from", anEnded.Ended.Sub(anEnded.Submitted))
	steps, err := s.timeline.Of(t.Context(), aResting.Request)
	if err != nil {
		t.Fatal(err)
	}
	var rests time.Time // with its last action; nobody has it since
	for _, x := range steps {
		if x.Kind == projections.StepAction {
			rests = x.Occurred
		}
	}
	s.tells(t, aResting, "Not known to have ended, by the system it came from", rests.Sub(aResting.Submitted))
}

// tells holds that the page and the API say of a case that nobody has to act, and how long
// it took.
func (s *site) tells(t *testing.T, x projections.Status, now string, took time.Duration) {
	t.Helper()
	page := s.ask(t, "GET", "/lacak/"+string(x.Reference)+"?lang=en", "").body
	_, said, _ := strings.Cut(page, `<span class="label">Status now</span>`)
	said, _, _ = strings.Cut(said, "</p>")
	if !strings.Contains(said, ">"+now+"<") || strings.Contains(page, "Being handled by") || strings.Contains(page, "You need to act") {
		t.Errorf("%s: want %q\n%s", x.Reference, now, page)
	}
	a := s.ask(t, "GET", "/api/v1/requests/"+string(x.Reference), "")
	var body struct {
		Ended   time.Time
		MustAct bool `json:"must_act"`
		Next    any
		Holder  any
		Spent   struct {
			Agency    float64 `json:"agency_seconds"`
			Applicant float64 `json:"applicant_seconds"`
			Others    float64 `json:"others_seconds"`
		}
	}
	if err := json.Unmarshal([]byte(a.body), &body); err != nil || a.StatusCode != http.StatusOK {
		t.Fatal(a.Status, err)
	}
	spent := body.Spent.Agency + body.Spent.Applicant + body.Spent.Others
	if !body.Ended.Equal(x.Ended) || body.MustAct || body.Next != nil || body.Holder != nil || spent < took.Seconds()-60 || spent > took.Seconds()+60 {
		t.Errorf("%s: %s\nwant %s", x.Reference, a.body, took)
	}
}
