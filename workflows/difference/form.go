package difference

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/alur-id/alur/workflows"
)

// form compares what applicants fill in, rule by rule of the schema.
func (c *comparison) form(p place, a, b *workflows.Form) {
	rules := func(f *workflows.Form) map[string]string {
		all := map[string]string{}
		if f != nil {
			schemaRules(f.Schema, "", all)
		}
		return all
	}
	before, after := rules(a), rules(b)
	for _, name := range slices.Sorted(maps.Keys(merged(before, after))) {
		if before[name] != after[name] {
			at := p
			at.within = joined(p.within, same(name), " ")
			c.was(at, same(before[name]), same(after[name]))
		}
	}
	if (a == nil) != (b == nil) && len(before)+len(after) == 0 {
		c.was(p, map[bool]Text{false: phrases["given"]}[a == nil], map[bool]Text{false: phrases["given"]}[b == nil])
	}
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// schemaRules lists what a schema says, each under the way to it; the properties of
// an object stand as their names.
func schemaRules(v any, at string, into map[string]string) {
	object, ok := v.(map[string]any)
	if !ok || len(object) == 0 {
		text, err := json.Marshal(v)
		if err != nil {
			text = []byte("?")
		}
		into[strings.TrimLeft(at, ". ")] = string(text)
		return
	}
	for key, value := range object {
		properties, ok := value.(map[string]any)
		if key != "properties" || !ok {
			schemaRules(value, at+" "+key, into)
			continue
		}
		for name, property := range properties {
			schemaRules(property, at+"."+name, into)
		}
	}
}
