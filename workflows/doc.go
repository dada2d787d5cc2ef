// Package workflows says how requests move: the definition language an agency
// writes, its checks, the machine it compiles to, the library of published
// versions, and the engine that loads a request, decides and appends.
//
// A definition is read by [Read], turned into rules by [Compile], made law by
// [Library.Publish] and applied by [Engine]. [Importer] tells an event log to
// the engine case by case.
//
// What stands on the language and not under it has packages of its own: pictures
// (picture), the import of other formats (digit), learning from event logs (discovery),
// the erasure of personal data (erasure), what differs between two definitions
// (difference).
package workflows
