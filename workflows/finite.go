package workflows

import (
	"math"

	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/overloads"
	"github.com/google/cel-go/common/types"
	celref "github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// finite plans a call of what computes with numbers so that it fails where it comes to no
// number, or to one without end, as a division of whole numbers by zero does. CEL goes on
// with these, and neither x <= 1.0 nor x > 1.0 holds of what is no number.
func finite(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok {
		return i, nil
	}
	switch call.Function() {
	case operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Negate, overloads.TypeConvertDouble:
	default:
		return i, nil
	}
	checked := &finiteCall{call}
	if _, constant := call.Args()[0].(interpreter.InterpretableConst); constant && len(call.Args()) == 1 {
		if v := call.Exec(interpreter.AsFrame(interpreter.EmptyActivation())); endless(v) {
			return struct{ interpreter.InterpretableV2 }{checked}, nil // not for CEL to compute beforehand: a definition that was published is read for ever
		}
	}
	return checked, nil
}

// finiteCall is a call that comes to no number but a finite one.
type finiteCall struct{ interpreter.InterpretableCall }

// Exec implements [interpreter.InterpretableV2].
func (c *finiteCall) Exec(frame *interpreter.ExecutionFrame) celref.Val {
	v := c.InterpretableCall.Exec(frame)
	if !endless(v) {
		return v
	}
	switch c.Function() {
	case overloads.TypeConvertDouble:
		return types.NewErrWithNodeID(c.ID(), "type conversion error from 'string' to 'double'")
	case operators.Divide:
		if c.Args()[1].Exec(frame).Equal(types.Double(0)) == types.True {
			return types.NewErrWithNodeID(c.ID(), "division by zero")
		}
	}
	return types.NewErrWithNodeID(c.ID(), "number overflow")
}

// Eval implements [interpreter.Interpretable].
func (c *finiteCall) Eval(in interpreter.Activation) celref.Val {
	return c.Exec(interpreter.AsFrame(in))
}

func endless(v celref.Val) bool {
	n, ok := v.(types.Double)
	return ok && (math.IsNaN(float64(n)) || math.IsInf(float64(n), 0))
}
