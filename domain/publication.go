package domain

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// WorkflowPublished adds a version to a workflow. Its number stands in the
// envelope: the first version of a workflow is 1, the next 2, without gaps.
// Version 1 of this shape had the first three fields.
type WorkflowPublished struct {
	Source    string    `json:"source"` // the definition as its agency wrote it
	Hash      string    `json:"hash"`   // SHA-256 of Source, hex
	Why       string    `json:"why"`
	Effective time.Time `json:"effective,omitzero"` // submissions are judged by it from then on; zero in version 1: from when it was recorded
	History   bool      `json:"history,omitempty"`  // only imported requests are under it, no submission ever is
	Check     *Checked  `json:"check,omitempty"`    // nil where nobody recorded one: version 1, and History
	Waivers   []Waiver  `json:"waivers,omitempty"`  // one for each finding
}

// Checked is what the check of a definition said before it was published.
type Checked struct {
	Program  string `json:"program"` // the version of the program that checked
	Findings int    `json:"findings"`
	GaveUp   bool   `json:"gave_up,omitempty"` // a proof was not finished
	Tests    int    `json:"tests"`             // of the definition itself, all passed
}

// Waiver lets a definition be published although a finding stands against it.
type Waiver struct {
	Rule    string `json:"rule"`
	Place   string `json:"place"`   // line:column in the source
	Finding string `json:"finding"` // in words
	Ground  string `json:"ground"`
}

// WorkflowRetired takes versions of a workflow out of force: no submission is
// judged by them any more. Requests that were submitted under them go on.
type WorkflowRetired struct {
	Versions  []int     `json:"versions"`
	Effective time.Time `json:"effective"`
	Why       string    `json:"why"`
}

// Intact reports whether the definition is the one that the hash is of.
func (p WorkflowPublished) Intact() bool { return p.Hash == HashOf(p.Source) }

// HashOf is the hash of a definition's text.
func HashOf(source string) string {
	sum := sha256.Sum256([]byte(source))
	return hex.EncodeToString(sum[:])
}

// Type implements [Body].
func (WorkflowPublished) Type() (string, int) { return "WorkflowPublished", 2 }

// Type implements [Body].
func (WorkflowRetired) Type() (string, int) { return "WorkflowRetired", 1 }
