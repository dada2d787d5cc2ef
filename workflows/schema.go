package workflows

import _ "embed"

// Schema is a JSON Schema (2020-12) of the definition language, for editors: it
// completes keys and marks what is wrong as one types. It is made of the types in
// this package (see TestSchema), and is looser than [Read], which knows what refers
// to what.
//
//go:embed schema.json
var Schema []byte
