package difference

import (
	"reflect"
	"slices"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// renaming is a state that seems to have another name now.
type renaming struct{ before, after domain.StateID }

// guessRenames finds states that seem to have another name: one that is gone and one
// that is new, of the same kind, public status, owner and outcome, of whose
// transitions at least half are alike. The definition it returns is the earlier one
// with the new names.
func guessRenames(before, after *workflows.Definition) (*workflows.Definition, []renaming) {
	gone, come := missing(before, after), missing(after, before)
	var pairs []renaming
	for _, a := range gone {
		best, at := 0, -1
		for j, b := range come {
			if a.Kind != b.Kind || a.Public != b.Public || a.Owner != b.Owner || a.Outcome != b.Outcome {
				continue
			}
			x, y := ways(before, a.ID, gone), ways(after, b.ID, come)
			alike := len(x) - len(without(x, y))
			if 2*alike >= max(len(x), len(y), 1) && alike > best {
				best, at = alike, j
			}
		}
		if at >= 0 {
			pairs = append(pairs, renaming{a.ID, come[at].ID})
			come = slices.Delete(slices.Clone(come), at, at+1)
		}
	}
	if len(pairs) == 0 {
		return before, nil
	}
	names := map[domain.StateID]domain.StateID{}
	for _, p := range pairs {
		names[p.before] = p.after
	}
	renamed := reflect.New(reflect.TypeFor[workflows.Definition]()).Elem()
	copyRenamed(renamed, reflect.ValueOf(before).Elem(), names)
	return renamed.Addr().Interface().(*workflows.Definition), pairs
}

// missing lists the states of one definition that the other has not.
func missing(d, other *workflows.Definition) []workflows.State {
	return slices.DeleteFunc(slices.Clone(d.States), func(s workflows.State) bool {
		return slices.ContainsFunc(other.States, func(o workflows.State) bool { return o.ID == s.ID })
	})
}

// ways lists how a state is come to and left. The far end is left out where it may
// have another name itself.
func ways(d *workflows.Definition, id domain.StateID, unsure []workflows.State) []string {
	far := func(s domain.StateID) string {
		if slices.ContainsFunc(unsure, func(u workflows.State) bool { return u.ID == s }) {
			return ""
		}
		return string(s)
	}
	var list []string
	for _, t := range d.Transitions {
		if slices.Contains(t.From, id) {
			list = append(list, "out "+string(t.Action)+" "+far(t.To))
		}
		if t.To == id {
			for _, from := range t.From {
				list = append(list, "in "+string(t.Action)+" "+far(from))
			}
		}
	}
	return list
}

// copyRenamed copies a value with other names for some states. What cannot be seen
// is copied as it is.
func copyRenamed(to, from reflect.Value, names map[domain.StateID]domain.StateID) {
	to.Set(from)
	switch from.Kind() {
	case reflect.String:
		if name, ok := names[domain.StateID(from.String())]; ok && from.Type() == reflect.TypeFor[domain.StateID]() {
			to.SetString(string(name))
		}
	case reflect.Struct:
		for i := range from.NumField() {
			if from.Type().Field(i).IsExported() {
				copyRenamed(to.Field(i), from.Field(i), names)
			}
		}
	case reflect.Slice:
		if !from.IsNil() {
			to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
		}
		for i := range from.Len() {
			copyRenamed(to.Index(i), from.Index(i), names)
		}
	case reflect.Pointer:
		if !from.IsNil() && from.Type().Elem().Kind() == reflect.Struct && from.Type() != reflect.TypeFor[*workflows.Condition]() {
			to.Set(reflect.New(from.Type().Elem()))
			copyRenamed(to.Elem(), from.Elem(), names)
		}
	default: // names no state
	}
}
