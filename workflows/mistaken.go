package workflows

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// kindsOfFile are the files that agencies write, each with the key that says which it is.
var kindsOfFile = []struct{ key, what, named, goes string }{
	{"alur", "definition", "a definition", "alur workflow check looks at it"},
	{"decree", "decree", "a decree", "alur calendar add records it"},
	{"migration", "map", "a migration map", "alur workflow migrate takes it with --map"},
	{"simulation", "file of parameters", "a file of parameters", "alur workflow simulate takes it with --with"},
}

// mistaken says what a file of another kind than the one that is read seems to be; empty
// for one that may be of it. What it lacks of the one is then not worth telling.
func mistaken(wanted string, root ast.Node) string {
	values, _ := entries(root)
	has := func(key string) bool {
		return slices.ContainsFunc(values, func(v *ast.MappingValueNode) bool { return v.Key.GetToken().Value == key })
	}
	told := ""
	for _, k := range kindsOfFile {
		switch {
		case k.what == wanted && has(k.key):
			return ""
		case k.what != wanted && told == "" && has(k.key):
			told = fmt.Sprintf("this seems to be %s, and no %s: %s", k.named, wanted, k.goes)
		}
	}
	return told
}
