// Package bus carries what happened outward: to reactors in this program and, as
// integration events, to other machines.
//
// A [Subscriber] is Watermill's Pub/Sub over the event log: groups of consumers, each
// with a durable checkpoint and a lease, so that one consumer of a group is at work at
// a time and gets one event after the other. A [Router] runs [Reactor]s on it. What
// both remember is in a [Store], apart from the log and from the views: it is not
// built anew.
package bus
