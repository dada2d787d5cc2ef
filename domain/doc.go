// Package domain says what a request is: the events that happen to it, the
// commands people give, the rules that decide between the two, and the ports
// those rules need.
//
// It is pure. It reads no clock, draws no random number and does no input or
// output; times and ids come in with the command. [Decide] and [Evolve] are
// therefore deterministic: the same history and the same command give the same
// answer today and in an audit ten years from now.
//
// Where to look: who may do what is in decide.go, what a refusal says in
// refusal.go, what is stored in events.go and envelope.go, the contract of the
// log in eventlog.go.
package domain
