package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

type benchFlags struct {
	stores    stores
	seconds   float64
	clients   []int
	batch     []int
	only      []string
	openTerms int
	commands  int // of the run decide, instead of a time; 0: as many as the time allows
	rate      int // commands a second, of the run live
}

// measured is one run, as it is printed on one line.
type measured struct {
	Run        string  `json:"run"`
	Store      string  `json:"store"`
	Clients    int     `json:"clients"`
	Batch      int     `json:"batch,omitempty"` // events an append
	Unit       string  `json:"unit"`
	Count      int     `json:"count"`
	Seconds    float64 `json:"seconds"`
	PerSecond  float64 `json:"per_second"`
	P50        float64 `json:"p50_ms,omitempty"`
	P90        float64 `json:"p90_ms,omitempty"`
	P99        float64 `json:"p99_ms,omitempty"`
	Max        float64 `json:"max_ms,omitempty"`
	Bytes      int     `json:"bytes_each,omitempty"`       // envelope and body
	ToBare     float64 `json:"ratio_to_bare,omitempty"`    // same clients, same size of rows, same run of the program
	ToAppend   float64 `json:"ratio_to_append,omitempty"`  // the same, to appends of one event
	ToFsync    float64 `json:"ratio_to_fsync,omitempty"`   // of the machine's raw rate
	FsyncsHere float64 `json:"fsync_per_second,omitempty"` // 4 KiB appended and synced, one after the other
	Durability string  `json:"durability"`                 // as the store says
	Terms      int     `json:"open_terms,omitempty"`
	Moments    int     `json:"moments,omitempty"` // that had come
	Heap       uint64  `json:"heap_bytes,omitempty"`
	CPUs       int     `json:"cpus"`
	Go         string  `json:"go"`
}

// bench is what the runs share.
type bench struct {
	benchFlags
	*house
	dir   string // for files that are thrown away
	fsync float64
	size  int // of an event of a decision, in bytes
	// How many a second there were, by clients.
	bares, appends map[int]float64
	out            io.Writer
}

var benchRuns = []struct {
	name string
	do   func(*bench, context.Context) error
}{
	{"fsync", (*bench).runFsync},
	{"bare", (*bench).runBare},
	{"append", (*bench).runAppend},
	{"decide", (*bench).runDecide},
	{"tail", (*bench).runTail},
	{"follow", (*bench).runFollow},
	{"load", (*bench).runLoad},
	{"rebuild", (*bench).runRebuild},
	{"live", (*bench).runLive},
	{"terms", (*bench).runTerms},
}

func newBench() *cobra.Command {
	o := benchFlags{stores: stores{sealing: true}}
	names := make([]string, len(benchRuns))
	for i, r := range benchRuns {
		names[i] = r.name
	}
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure this machine and this store, one line of JSON a run",
		Long: `Bench measures an empty store, and leaves what it wrote there: without --db it is
a file that is thrown away. The runs:

  fsync    raw rate of the disk: 4 KiB appended and synced, again and again
  bare     rows as large as the events of a decision into a table like the log's,
           grouped as the log groups them, and nothing else
  append   events of that size to streams of their own, without the engine
  decide   commands of whole lives of a licence in its simplest form, each client on a
           request of its own: decided, sealed, chained, durable
  tail     how long after its recording a follower sees an event, while others append
  follow   the whole log, each event decoded, in order
  load     requests folded from their events, none remembered
  rebuild  all views from nothing; again, beside those that are read; and compared
  live     commands at a steady rate (--rate): how long it takes until the newest event
           is in every view, and the most memory that was in use
  terms    a sweep over open terms: when the time of none has come, of 1 %, of all

The clients wait for each answer before they go on. Times are of one answer.`,
		Args: func(c *cobra.Command, args []string) error {
			for _, name := range o.only {
				if !slices.Contains(names, name) {
					return fmt.Errorf("--only %s: want some of %s", name, strings.Join(names, ", "))
				}
			}
			if o.openTerms < 200 {
				return errors.New("--terms wants 200 or more")
			}
			if o.commands < 0 || o.rate < 1 {
				return errors.New("--commands and --rate want numbers above zero")
			}
			if o.seconds <= 0 || slices.Min(append(slices.Clone(o.clients), 1)) < 1 || slices.Min(append(slices.Clone(o.batch), 1)) < 1 {
				return errors.New("--seconds, --clients and --batch want numbers above zero")
			}
			return cobra.NoArgs(c, args)
		},
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	o.stores.flags(c)
	o.stores.kekFlag(c)
	c.Flags().Lookup("db").DefValue = "" // a file that is thrown away
	c.Flags().Float64Var(&o.seconds, "seconds", 5, "how long each run lasts, in `SECONDS`")
	c.Flags().IntSliceVar(&o.clients, "clients", []int{1, 64}, "how many `CLIENTS` there are at once, a run for each number")
	c.Flags().IntSliceVar(&o.batch, "batch", []int{1, 10}, "how many `EVENTS` an append of the run append has, a run for each number")
	c.Flags().IntVar(&o.openTerms, "terms", 10_000, "how many `TERMS` are open in the run terms")
	c.Flags().IntVar(&o.commands, "commands", 0, "how many `COMMANDS` the run decide has, however long they take (default as many as the time allows)")
	c.Flags().IntVar(&o.rate, "rate", 5_000, "how many `COMMANDS` a second come in the run live")
	c.Flags().StringSliceVar(&o.only, "only", nil, "only these `RUNS`")
	return c
}

func (o benchFlags) run(c *cobra.Command) error {
	dir, err := os.MkdirTemp("", "alur-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if !c.Flags().Changed("db") {
		o.stores.db = filepath.Join(dir, "bench.db")
	}
	if o.stores.kek == "" && os.Getenv(kekVariable) == "" && isPostgres(o.stores.db) {
		return errors.New("bench needs a key-encryption key: alur keys new --kek FILE, then --kek FILE")
	}
	return o.on(c.Context(), dir, c.OutOrStdout())
}

// on measures the stores and prints a line for each run.
func (o benchFlags) on(ctx context.Context, dir string, out io.Writer) error {
	quiet := slog.New(slog.DiscardHandler)
	h, err := openHouse(ctx, o.stores, quiet)
	if err != nil {
		return err
	}
	b := &bench{benchFlags: o, house: h, dir: dir, bares: map[int]float64{}, appends: map[int]float64{}, out: out}
	return errors.Join(b.all(ctx), h.close())
}

func (b *bench) all(ctx context.Context) error {
	head, err := b.log.Head(ctx)
	if err != nil {
		return err
	}
	if head > 0 {
		return &hintError{errors.New("the store is not empty: bench would add to what is there"), "name an empty one with --db"}
	}
	if err := b.publishSample(ctx); err != nil {
		return err
	}
	if err := b.measureSize(ctx); err != nil {
		return err
	}
	for _, r := range benchRuns {
		if len(b.only) > 0 && !slices.Contains(b.only, r.name) {
			continue
		}
		if err := r.do(b, ctx); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return nil
}

// print completes a run and prints it.
func (b *bench) print(m measured, took took) error {
	m.Store, m.Seconds = b.kindName(), took.elapsed.Seconds()
	m.PerSecond = float64(m.Count) / m.Seconds
	m.FsyncsHere, m.Durability, m.CPUs, m.Go = b.fsync, b.durability(), runtime.GOMAXPROCS(0), runtime.Version()
	m.P50, m.P90, m.P99, m.Max = took.at(0.5), took.at(0.9), took.at(0.99), took.at(1)
	if b.fsync > 0 && m.Clients == 1 && slices.Contains([]string{"bare", "append", "decide"}, m.Run) {
		m.ToFsync = m.PerSecond / b.fsync
	}
	return json.NewEncoder(b.out).Encode(m)
}

func (b *bench) kindName() string {
	switch {
	case b.stores.log != "":
		return "eventstoredb"
	case isPostgres(b.stores.db):
		return "postgres"
	}
	return "sqlite"
}

// durability is what the store was told, and read back when it was opened.
func (b *bench) durability() string {
	switch b.kindName() {
	case "eventstoredb":
		return "as the server is set"
	case "postgres":
		return "fsync=on synchronous_commit=on"
	}
	return "WAL synchronous=FULL"
}

// took is how long each of some answers took, and all of them together.
type took struct {
	each    []time.Duration // in order of length
	elapsed time.Duration
}

// at is a quantile in milliseconds; 0 where single answers were not timed.
func (t took) at(q float64) float64 {
	if len(t.each) == 0 {
		return 0
	}
	return t.each[int(q*float64(len(t.each)-1))].Seconds() * 1000
}
