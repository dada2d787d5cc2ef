// Package simulation runs a workflow definition with invented requests: what its
// queues, its officers and its terms would come to. The requests move by the same rules
// as real ones; what a definition does not say (how many come, how long work takes, who
// is there, how often a file is sent back) are [Parameters]: given, fitted to what was
// recorded, or assumed, and each told as what it is.
//
// The same definition, parameters, calendar and seed give the same figures, on any
// machine and with any number of processors.
package simulation
