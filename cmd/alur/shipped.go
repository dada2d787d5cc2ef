package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/catalogue"
)

// shipper publishes what ships with the program.
var shipper = domain.Actor{ID: "alur", Role: "catalogue", Capacity: domain.CapacitySystem}

// publishCatalogue publishes each shipped definition of which its tenant has no
// version, or whose newest version was itself shipped. What an agency published or
// retired itself is left alone.
func (h *house) publishCatalogue(ctx context.Context, logger *slog.Logger) error {
	entries, err := catalogue.Entries()
	if err != nil {
		return err
	}
	proved := false
	for _, e := range entries {
		list, err := h.library.Versions(ctx, e.Tenant, e.Definition.ID)
		if err != nil && !errors.Is(err, domain.ErrNotFound) {
			return err
		}
		if !supersedes(e.Source, list) {
			continue
		}
		w, err := h.library.Publish(ctx, workflows.Publication{
			Tenant: e.Tenant, File: e.Path, Source: e.Source, Definition: e.Definition, Clock: time.Now,
			Actor: shipper, Why: "shipped with version " + programVersion(), Program: programVersion(),
		})
		if err != nil {
			return err
		}
		proved = true
		logger.InfoContext(ctx, "published", "tenant", e.Tenant, "workflow", e.Definition.ID, "version", w.Ref().Version)
	}
	if proved { // which took memory that a server does not need again
		debug.FreeOSMemory()
	}
	return nil
}

// supersedes reports whether a shipped definition is to be published after these
// versions. One that was published before is not again: beside a newer program, an
// older one would bring back what was superseded.
func supersedes(source []byte, list []workflows.Published) bool {
	if len(list) == 0 {
		return true
	}
	newest := list[len(list)-1]
	hash := domain.HashOf(string(source))
	return newest.By == shipper && newest.Retired == nil &&
		!slices.ContainsFunc(list, func(v workflows.Published) bool { return v.Hash == hash })
}

// programVersion is the version of this program, as the Go toolchain stamped it.
func programVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && info.Main.Version == "(devel)" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return cmp.Or(info.Main.Version, "unknown")
}
