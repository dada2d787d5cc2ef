package eventstoredb

import (
	"reflect"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// answerAll tells every call that asks a retired client for its connection that it
// was lost, until the client is closed. The library answers from one goroutine,
// which ends when it finds no server; then calls that ask, or that were told of
// another leader, wait on a channel that nobody reads, whatever their contexts say.
//
// The channel is reached by reflection, for the library has no way to it. That
// would be too frail, were the library not archived: it does not change any more.
// If it does, TestTrap2NobodyServes fails.
func answerAll(c *esdb.Client) {
	asked := hidden(hidden(reflect.ValueOf(c).Elem(), "grpcClient").Elem(), "channel")
	for {
		message, open := asked.Recv()
		if !open {
			return
		}
		question := reflect.New(message.Elem().Type()).Elem()
		question.Set(message.Elem())
		if !question.FieldByName("channel").IsValid() {
			continue // it was told of another leader, and wants no answer
		}
		back := hidden(question, "channel")
		lost := reflect.New(back.Type().Elem()).Elem()
		hidden(lost, "err").Set(reflect.ValueOf(errLost))
		back.Send(lost) // the one who asked waits for it
	}
}

// hidden is an unexported field of an addressable struct, as if it were exported.
func hidden(v reflect.Value, name string) reflect.Value {
	f := v.FieldByName(name)
	return reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem()
}
