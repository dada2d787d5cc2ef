// Package workflows says how requests move: the definition language an agency
// writes, its checks, the machine it compiles to, the library of published
// versions, and the engine that loads a request, decides and appends.
//
// A definition is read by [Read], turned into rules by [Compile], made law by
// [Library.Publish] and applied by [Engine]. [Discover] drafts a definition from
// an event log, [Importer] tells such a log to the engine case by case.
package workflows
