package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/memory"
	"github.com/alur-id/alur/adapters/xes"
	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
	"github.com/alur-id/alur/workflows/simulation"
)

// fitLog adds the cases of an event log, told to the definition's rules as an import
// tells them, and kept nowhere.
func fitLog(c *cobra.Command, path string, d *workflows.Definition, into *simulation.Fitter) error {
	f, err := openXES(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := xes.CheckCompression(path, f); err != nil {
		return err
	}
	log := memory.New()
	importer := workflows.Importer{Log: log, Engine: workflows.NewEngine(log, workflows.NewLibrary(log), workflows.EngineConfig{
		Now: time.Now, Random: randomBits,
	})}
	if err := importer.Accepts(d); err != nil {
		return err
	}
	summary, err := importer.Import(c.Context(), domain.TenantCode("11.71"), workflows.Compile(d, 1), xes.Read(path, f))
	if err != nil {
		return err
	}
	if n := len(summary.Refused); n > 0 {
		r := summary.Refused[0]
		c.PrintErrf("alur: %d of %d cases do not fit the definition and are left out, the first %s, event %d %s: %s\n",
			n, summary.Cases, printable(r.Case), r.Event, printable(r.Activity), printable(r.Reason))
	}
	if err := fitRecorded(c.Context(), log, "", d, into); err != nil {
		return errors.Join(fmt.Errorf("%s: no case can be fitted to", path), err)
	}
	return nil
}
