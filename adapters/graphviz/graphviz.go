// Package graphviz draws pictures of workflows as SVG. Graphviz runs inside the
// process as a WebAssembly program without files, network, clock or chance: the
// same picture gives the same bytes.
package graphviz

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/alur-id/alur/workflows/picture"
)

// What a layout may take before it is given up. What a picture may have, below, is
// small enough that none comes near: whether there is a picture must not depend on
// how busy the machine is.
const (
	mostMemory = 256 << 20
	mostTime   = 2 * time.Minute
)

// What a picture may have at most. At these sizes a layout takes some seconds, and
// nobody reads the picture any more.
const (
	mostBoxes  = 300
	mostArrows = 700
)

// What is kept of layouts: so many, none larger than this.
const (
	keptLayouts = 32
	keptBytes   = 1 << 20
)

// TooLargeError is given for a picture that Graphviz could not lay out in
// reasonable time or memory.
type TooLargeError struct{ Boxes, Arrows int }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%d states with %d arrows are too many for an SVG picture; draw them as dot or mermaid, which have no layout yet", e.Boxes, e.Arrows)
}

// Renderer lays pictures out and keeps the layouts it made. It is safe for
// concurrent use: one layout is made at a time, the others wait.
type Renderer struct {
	turn    chan struct{}
	engine  engine
	layouts *lru.Cache[[sha256.Size]byte, []byte]
	made    int // layouts, by who holds the turn
}

// New makes a renderer. It costs nothing until the first picture.
func New() *Renderer {
	layouts, err := lru.New[[sha256.Size]byte, []byte](keptLayouts)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &Renderer{
		turn: make(chan struct{}, 1), layouts: layouts,
		engine: engine{pages: mostMemory >> 16, patience: mostTime},
	}
}

// SVG draws a picture. Where it shows a request, the layout is that of the picture
// without it.
func (r *Renderer) SVG(ctx context.Context, p *picture.Picture) ([]byte, error) {
	boxes, arrows := p.Size()
	if boxes > mostBoxes || arrows > mostArrows {
		return nil, &TooLargeError{boxes, arrows}
	}
	layout, err := r.layout(ctx, p.Layout())
	if errors.Is(err, errTooMuch) {
		return nil, &TooLargeError{boxes, arrows}
	}
	if err != nil {
		return nil, err
	}
	return finish(layout, p)
}

func (r *Renderer) layout(ctx context.Context, dot string) ([]byte, error) {
	key := sha256.Sum256([]byte(dot))
	if svg, ok := r.layouts.Get(key); ok {
		return svg, nil
	}
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if svg, ok := r.layouts.Get(key); ok { // somebody else made it meanwhile
		return svg, nil
	}
	r.made++
	svg, err := r.engine.svg(ctx, dot)
	if err == nil && len(svg) <= keptBytes {
		r.layouts.Add(key, svg)
	}
	return svg, err
}
