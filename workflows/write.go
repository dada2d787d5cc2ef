package workflows

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Write writes a definition in the language that [Read] reads, with a comment
// above it.
func Write(d *Definition, comment string) ([]byte, error) {
	body, err := yaml.MarshalWithOptions(d, yaml.Indent(2), yaml.IndentSequence(true), yaml.CustomMarshaler(quoted),
		yaml.CustomMarshaler(inBraces[map[string]any]), yaml.CustomMarshaler(inBraces[map[string]int]), yaml.CustomMarshaler(inBraces[map[string]string]))
	if err != nil {
		return nil, fmt.Errorf("write definition: %w", err)
	}
	var b strings.Builder
	for line := range strings.Lines(comment) {
		b.WriteString("# " + line)
	}
	if comment != "" {
		b.WriteByte('\n')
	}
	b.Write(bytes.TrimRight(body, "\n"))
	b.WriteByte('\n')
	// What cannot be read back must not leave this program.
	if _, err := Read(d.ID, []byte(b.String())); err != nil {
		return nil, fmt.Errorf("write definition: %w", err)
	}
	return []byte(b.String()), nil
}

// quoted writes a text. The library decides by itself which texts need quotes and
// misses some ("? !"), so whatever is not plainly harmless is quoted here, as
// JSON, which YAML reads.
func quoted(s string) ([]byte, error) {
	if harmless.MatchString(s) && !slices.Contains([]string{"yes", "no", "true", "false", "null", "on", "off", "y", "n"}, strings.ToLower(s)) {
		return []byte(s), nil
	}
	return inBraces(s)
}

// inBraces writes a value as JSON, on one line. The library puts the keys of a map in
// a list where they belong to what holds the map.
func inBraces[T any](v T) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

var harmless = regexp.MustCompile(`^[A-Za-z(]([A-Za-z0-9 ()/_.-]*[A-Za-z0-9)])?$`)
