package workflows

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/alur-id/alur/domain"
)

// Vault seals personal data under keys that can be destroyed, and opens it again.
// It is safe for concurrent use.
type Vault interface {
	// Subject is who an identity, or any other text that names one person or
	// thing, stands for. The same text is always the same subject.
	Subject(identity string) domain.SubjectID

	// Key returns the id of the live data key of a subject in a retention class,
	// and makes one when there is none. It is durable when it returns.
	Key(ctx context.Context, s domain.SubjectID, c domain.RetentionClass) (uuid.UUID, error)

	// Seal closes personal data under a key. The error is [domain.ErrErased] when
	// the key is being destroyed or was.
	Seal(ctx context.Context, key uuid.UUID, at domain.Place, p domain.Personal) (domain.Box, error)

	// Alive is asked when what was sealed is recorded. Nil says that an erasure of
	// the key, if one has begun, will see what was recorded before the call;
	// [domain.ErrErased] that it may not have seen it.
	Alive(ctx context.Context, key uuid.UUID) error

	// Open opens a box. Errors: [domain.ErrErased], [domain.ErrUnsealed].
	Open(ctx context.Context, b domain.Box, at domain.Place) (domain.Personal, error)
}

// seal closes the personal data of events that were just decided, for the places
// behind the tip where they will stand.
func (e *Engine) seal(ctx context.Context, w *Workflow, r domain.Request, c domain.Command, tip domain.Tip, events []domain.Event) error {
	for i := range events {
		ev := &events[i]
		if ev.Personal == nil {
			continue
		}
		if e.vault == nil {
			return domain.NewRefusal(domain.RulePersonalData, "personal data cannot be sealed here", "leave it out")
		}
		if r.Key == uuid.Nil {
			key, err := e.vault.Key(ctx, e.vault.Subject(subjectOf(r, c)), w.RetentionClass())
			if err != nil {
				return fmt.Errorf("key for personal data: %w", err)
			}
			r.Key = key
		}
		name, _ := ev.Body.Type()
		at := domain.Place{Stream: domain.RequestStream(requestOf(r, c)), Version: tip.Version + domain.Version(i+1), Type: name}
		box, err := e.vault.Seal(ctx, r.Key, at, ev.Personal)
		switch {
		case errors.Is(err, domain.ErrErased):
			return domain.NewRefusal(domain.RuleErased, "the personal data of this request was erased", "leave the remark out")
		case errors.Is(err, domain.ErrNotFound):
			return domain.NewRefusal(domain.RuleErased, "the key of this request's personal data is lost", "leave the remark out; an operator is to put the key store back")
		}
		if err != nil {
			return fmt.Errorf("seal personal data: %w", err)
		}
		ev.Box, ev.Personal = &box, nil
	}
	return nil
}

// alive makes sure of events that were just recorded that their personal data can
// be read. An append that took longer than an erasure waits may have come too
// late: nobody is told then that all is well.
func (e *Engine) alive(ctx context.Context, events []domain.Event) error {
	for _, ev := range events {
		if ev.Box == nil {
			continue
		}
		err := e.vault.Alive(ctx, ev.Box.Key)
		if errors.Is(err, domain.ErrErased) {
			return domain.NewRefusal(domain.RuleErased, "this was recorded, but the personal data in it was erased with that of the same person before", "send the personal data again, as a new command")
		}
		if err != nil {
			return fmt.Errorf("key of personal data that was recorded: %w", err)
		}
	}
	return nil
}

// subjectOf names whose personal data it is: the applicant, where the submission
// says who that is, else nobody but the request.
func subjectOf(r domain.Request, c domain.Command) string {
	if s, ok := c.(domain.Submit); ok && s.Identity != "" {
		if identity, err := domain.ParseIdentity(string(s.Identity)); err == nil {
			return string(identity)
		}
	}
	return RequestSubject(requestOf(r, c))
}

// RequestSubject names the request as whose the personal data in it counts, where
// nobody said who it is about. [Vault.Subject] makes a subject of it.
func RequestSubject(request uuid.UUID) string { return "request:" + request.String() }

func requestOf(r domain.Request, c domain.Command) uuid.UUID {
	if r.Exists() {
		return r.ID
	}
	return domain.RequestID(c.Head().ID)
}

// sameSealed refuses a command that repeats another in all but its personal data,
// which is sealed and so not seen by Decide.
func (e *Engine) sameSealed(ctx context.Context, request uuid.UUID, version domain.Version, c domain.Command) error {
	want, err := domain.PersonalOf(c)
	if err != nil {
		return err
	}
	var first domain.Recorded
	for r, err := range domain.Events(e.log.ReadStream(ctx, domain.RequestStream(request), version-1)) {
		if err != nil {
			return fmt.Errorf("load request %s: %w", request, err)
		}
		first = r
		break
	}
	reused := domain.NewRefusal(domain.RuleCommandReused, "this command id was used with other personal data", "use a new id for each command")
	switch {
	case first.Box == nil && want == nil:
		return nil
	case first.Box == nil || want == nil:
		return reused
	case e.vault == nil:
		return domain.NewRefusal(domain.RulePersonalData, "personal data cannot be opened here", "ask where it can be")
	}
	got, err := e.vault.Open(ctx, *first.Box, first.Place())
	if errors.Is(err, domain.ErrErased) || errors.Is(err, domain.ErrNotFound) {
		return domain.NewRefusal(domain.RuleErased, "the personal data of the first command was erased, or its key is lost, so it cannot be told whether this is the same", "use a new id")
	}
	if err != nil {
		return fmt.Errorf("compare with the first command: %w", err)
	}
	wanted, err := json.Marshal(want)
	if err != nil {
		return err
	}
	held, err := json.Marshal(got)
	if err != nil {
		return err
	}
	if !bytes.Equal(wanted, held) {
		return reused
	}
	return nil
}
