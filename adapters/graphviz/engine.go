package graphviz

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// program is Graphviz 12.1.2 as goccy/go-graphviz v0.2.10 ships it, byte for byte
// (a test compares them). That module itself is not linked in: importing it
// compiles the program whenever alur starts, whatever the verb, and keeps what it
// compiled in a folder of the temporary directory that anybody may have made
// before, which it would then run.
//
//go:embed graphviz.wasm
var program []byte

// compilations lets the program be compiled once in a process.
var compilations = wazero.NewCompilationCache()

// errTooMuch says that a layout needed more time or memory than it may have.
var errTooMuch = errors.New("the layout takes too long or too much memory")

// engine is the compiled program. It is compiled when the first picture is asked
// for, which takes about half a second, and each layout gets an instance of its
// own: nothing that one layout did, or broke, is there in the next.
type engine struct {
	pages    uint32        // of 64 KB, that one layout may take
	patience time.Duration // that it may last

	once     sync.Once
	err      error
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

func (e *engine) compile(ctx context.Context) error {
	e.once.Do(func() {
		cfg := wazero.NewRuntimeConfig().WithMemoryLimitPages(e.pages).WithCloseOnContextDone(true).WithCompilationCache(compilations)
		e.runtime = wazero.NewRuntimeWithConfig(ctx, cfg)
		if _, e.err = wasi_snapshot_preview1.Instantiate(ctx, e.runtime); e.err != nil {
			return
		}
		if e.compiled, e.err = e.runtime.CompileModule(ctx, program); e.err != nil {
			return
		}
		e.err = e.imports(ctx)
	})
	return e.err
}

// imports gives the program the calls into go-graphviz that it was linked against.
// They serve plug-ins written in Go; we have none, so none is ever made.
func (e *engine) imports(ctx context.Context) error {
	env := e.runtime.NewHostModuleBuilder("env")
	for _, f := range e.compiled.ImportedFunctions() {
		if module, name, _ := f.Import(); module == "env" {
			stub := api.GoFunc(func(context.Context, []uint64) { panic("graphviz calls " + name) })
			env.NewFunctionBuilder().WithGoFunction(stub, f.ParamTypes(), f.ResultTypes()).Export(name)
		}
	}
	_, err := env.Instantiate(ctx)
	return err
}

// svg lays a graph out and draws it.
func (e *engine) svg(ctx context.Context, dot string) ([]byte, error) {
	if err := e.compile(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("graphviz: %w", err)
	}
	// A layout that was begun is finished, for the next who asks.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.patience)
	defer cancel()
	var said bytes.Buffer
	m, err := e.runtime.InstantiateModule(ctx, e.compiled, wazero.NewModuleConfig().
		WithName("").WithStartFunctions("__wasm_call_ctors").WithStderr(&said).WithRandSource(zeros{}))
	if err != nil && ctx.Err() != nil {
		return nil, errTooMuch
	}
	if err != nil {
		return nil, fmt.Errorf("graphviz: %w", err)
	}
	defer m.Close(context.WithoutCancel(ctx))
	c := &call{ctx: ctx, m: m}
	out := c.render(dot)
	switch {
	case c.err != nil && (errors.Is(c.err, errTooMuch) || ctx.Err() != nil || m.Memory().Size() > e.pages/2<<16):
		return nil, errTooMuch
	case c.err != nil:
		return nil, fmt.Errorf("graphviz: %w", errors.Join(c.err, errors.New(strings.TrimSpace(said.String()))))
	}
	return out, nil
}

// zeros is a source of randomness that has none.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// call makes calls to an instance until one fails.
type call struct {
	ctx context.Context
	m   api.Module
	err error
}

// render follows Graphviz's own guide to its library (libguide, section 2).
func (c *call) render(dot string) []byte {
	graph := c.do("agmemread", c.text(dot))
	if c.err == nil && graph == 0 {
		c.err = errors.New("the graph cannot be read")
	}
	context := c.do("gvContextPlugins", c.plugins(), 0)
	c.expect(0, "gvLayout", context, graph, c.text("dot"))
	result := c.alloc(8) // a pointer to the picture, and its length
	c.expect(0, "gvRenderData", context, graph, c.text("svg"), result, result+4)
	return bytes.Clone(c.bytes(c.word(result), c.word(result+4)))
}

// plugins is the list of what is linked in, ended by a zero entry. go-graphviz
// gives it as a Go slice: a length, and a pointer to the entries, each eight bytes
// apart; an entry is a pointer to a name and an address.
func (c *call) plugins() uint64 {
	at := c.alloc(4)
	c.do("wasm_bridge_SymList_default", at)
	slice := c.word(at)
	n, entries := c.word(slice), c.word(slice+4)
	list := c.alloc((n + 1) * 8)
	for i := range n {
		c.write(list+i*8, bytes.Clone(c.bytes(c.word(entries+i*8), 8)))
	}
	c.write(list+n*8, make([]byte, 8))
	return list
}

func (c *call) do(name string, args ...uint64) uint64 {
	if c.err != nil {
		return 0
	}
	f := c.m.ExportedFunction(name)
	if f == nil {
		c.err = fmt.Errorf("no function %s", name)
		return 0
	}
	out, err := f.Call(c.ctx, args...)
	if err != nil {
		c.err = fmt.Errorf("%s: %w", name, err)
	}
	if err != nil || len(out) == 0 {
		return 0
	}
	return out[0]
}

func (c *call) alloc(n uint64) uint64 {
	p := c.do("malloc", n)
	if c.err == nil && p == 0 {
		c.err = errTooMuch
	}
	return p
}

func (c *call) expect(want uint64, name string, args ...uint64) {
	if got := c.do(name, args...); c.err == nil && got != want {
		c.err = fmt.Errorf("%s gives %d", name, int32(got)) //nolint:gosec // a C int
	}
}

func (c *call) text(s string) uint64 {
	p := c.alloc(uint64(len(s) + 1))
	c.write(p, append([]byte(s), 0))
	return p
}

func (c *call) write(at uint64, b []byte) {
	if c.err == nil && !c.m.Memory().Write(uint32(at), b) {
		c.err = io.ErrShortWrite
	}
}

func (c *call) bytes(at, n uint64) []byte {
	if c.err != nil {
		return nil
	}
	b, ok := c.m.Memory().Read(uint32(at), uint32(n))
	if !ok {
		c.err = io.ErrUnexpectedEOF
	}
	return b
}

func (c *call) word(at uint64) uint64 {
	b := c.bytes(at, 4)
	if c.err != nil {
		return 0
	}
	return uint64(binary.LittleEndian.Uint32(b))
}
