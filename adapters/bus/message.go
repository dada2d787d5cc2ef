package bus

import (
	"context"
	"strconv"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"

	"github.com/alur-id/alur/domain"
)

// What a message of the log says beside its payload, which is the event's body as it
// is stored. All of it is clear: no personal data, and not who did it.
const (
	KeyStream      = "stream"
	KeyVersion     = "version"
	KeyPosition    = "position"
	KeyType        = "type"
	KeySchema      = "schema"
	KeyTenant      = "tenant"
	KeyService     = "service"
	KeyOccurred    = "occurred"
	KeyCausation   = "causation_id" // the command's id
	KeyCorrelation = middleware.CorrelationIDMetadataKey
)

type eventKey struct{}

// FromEntry makes the message of an entry. Its id is the event's. It fails for an
// entry that this program cannot read, such as one that a newer program recorded.
func FromEntry(e domain.Entry) (*message.Message, error) {
	r, err := domain.Decode(e)
	if err != nil {
		return nil, err
	}
	msg := message.NewMessageWithContext(context.WithValue(context.Background(), eventKey{}, r), r.ID.String(), e.Data)
	msg.Metadata = message.Metadata{
		KeyStream: e.Stream, KeyVersion: strconv.Itoa(int(e.Version)), KeyPosition: strconv.FormatInt(int64(e.Position), 10),
		KeyType: e.Type, KeySchema: strconv.Itoa(e.Schema), KeyTenant: string(r.Tenant), KeyService: r.Service,
		KeyOccurred: r.Occurred.UTC().Format(time.RFC3339Nano), KeyCausation: r.Command.String(), KeyCorrelation: r.Correlation.String(),
	}
	return msg, nil
}

// Event is the event that a message of the log tells of.
func Event(msg *message.Message) (domain.Recorded, error) {
	d, err := deliveryOf(msg.Context())
	if err != nil {
		return domain.Recorded{}, err
	}
	return d.event, nil
}
