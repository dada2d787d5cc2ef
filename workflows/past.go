package workflows

import (
	"errors"
	"reflect"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	celref "github.com/google/cel-go/common/types/ref"

	"github.com/alur-id/alur/domain"
)

// historian answers what a condition asks of the past.
type historian interface {
	times(domain.ActionID) int
	review(domain.ReviewID) domain.Opinion
	paid(domain.FeeID) bool
	attached(domain.DocumentID) bool
	answer(domain.SystemID) string
}

// history is the past as CEL sees it.
type history struct{ historian }

var _ celref.Val = history{}

var historyType = cel.ObjectType("alur.History")

func (history) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("history is not converted")
}

func (history) ConvertToType(celref.Type) celref.Val { return types.NewErr("history is not converted") }
func (history) Equal(celref.Val) celref.Val          { return types.False }
func (history) Type() celref.Type                    { return historyType }
func (h history) Value() any                         { return h.historian }

// historyFunctions are what may be asked of the past, with the list in a definition
// that the name in the question must stand in.
var historyFunctions = []struct {
	name, list string
	result     *cel.Type
	ask        func(historian, string) celref.Val
}{
	{"times", "action", cel.IntType, func(h historian, id string) celref.Val { return types.Int(h.times(domain.ActionID(id))) }},
	{"did", "action", cel.BoolType, func(h historian, id string) celref.Val { return types.Bool(h.times(domain.ActionID(id)) > 0) }},
	{"review", "review", cel.StringType, func(h historian, id string) celref.Val { return types.String(h.review(domain.ReviewID(id))) }},
	{"paid", "fee", cel.BoolType, func(h historian, id string) celref.Val { return types.Bool(h.paid(domain.FeeID(id))) }},
	{"attached", "document", cel.BoolType, func(h historian, id string) celref.Val { return types.Bool(h.attached(domain.DocumentID(id))) }},
	{"answer", "system", cel.StringType, func(h historian, id string) celref.Val { return types.String(h.answer(domain.SystemID(id))) }},
}

// past is a request as conditions ask of it.
type past struct{ r *domain.Request }

func (p past) times(a domain.ActionID) int { return p.r.Times(a) }

func (p past) review(id domain.ReviewID) domain.Opinion { return p.r.Dossier.Reviews[id].Opinion }

func (p past) paid(id domain.FeeID) bool {
	f, ok := p.r.Dossier.Fees[id]
	return ok && f.Settled()
}

func (p past) attached(id domain.DocumentID) bool {
	d, ok := p.r.Dossier.Documents[id]
	return ok && !d.Refused
}

func (p past) answer(id domain.SystemID) string { return p.r.Dossier.Answers[id] }
