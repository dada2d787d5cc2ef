// Package catalogue holds the definitions that ship: real services, each in a
// folder named for the tenant it is written for. What is taken from a published
// source says which, and what is assumed says so, in the files themselves.
package catalogue

import (
	"embed"
	"fmt"
	"io/fs"
	"path"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

//go:embed */*.yaml
var files embed.FS

// Entry is a shipped definition and the tenant it is for.
type Entry struct {
	Tenant     domain.TenantCode
	Path       string
	Source     []byte
	Definition *workflows.Definition
}

// Entries returns the shipped definitions in the order of their paths. An error
// is a fault of the program, not of its user.
func Entries() ([]Entry, error) {
	paths, err := fs.Glob(files, "*/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	entries := make([]Entry, 0, len(paths))
	for _, p := range paths {
		tenant, err := domain.ParseTenantCode(path.Dir(p))
		if err != nil {
			return nil, fmt.Errorf("catalogue %s: %w", p, err)
		}
		source, err := files.ReadFile(p)
		if err != nil {
			return nil, fmt.Errorf("catalogue: %w", err)
		}
		d, err := workflows.Read(p, source)
		if err != nil {
			return nil, fmt.Errorf("catalogue: %w", err)
		}
		entries = append(entries, Entry{Tenant: tenant, Path: p, Source: source, Definition: d})
	}
	return entries, nil
}
