package workflows

import _ "embed"

// Schema is a JSON Schema (2020-12) of the definition language, for editors: it
// completes keys and marks what is wrong as one types. It is made of the types in
// this package and of rules beside them (see TestSchema). It refuses what [Read]
// refuses in one place of a file, such as an end with an owner; what refers to what,
// what is said twice, where a state leads to, and what is wrong inside a condition or
// a form's own schema, only [Read] knows.
//
//go:embed schema.json
var Schema []byte
