package notify

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/alur-id/alur/adapters/notify/webhook"
	"github.com/alur-id/alur/domain"
)

// Phone is a gateway for messages to telephones: it posts each as JSON to a system that
// sends it, as SMS or by WhatsApp.
type Phone struct {
	Client  *webhook.Client
	Channel domain.Channel
}

// phoneLetter is what is posted.
type phoneLetter struct {
	ID       string         `json:"id"` // a repetition has the same
	Channel  domain.Channel `json:"channel"`
	To       string         `json:"to"` // as E.164 writes it: +628...
	Text     string         `json:"text"`
	Language string         `json:"language"`
}

// Send implements [Gateway].
func (p Phone) Send(ctx context.Context, l Letter) error {
	to, ok := e164(l.To)
	if !ok {
		return &domain.Undelivered{Text: "what was given as the telephone number is none: it begins with 0 and the area, or with + and the country", Lasting: true}
	}
	body, err := json.Marshal(phoneLetter{l.ID.String(), p.Channel, to, l.Text, l.Language})
	if err != nil {
		return err
	}
	err = p.Client.Send(ctx, l.ID.String(), "application/json", body)
	var u *domain.Undelivered
	var status webhook.StatusError
	if errors.As(err, &u) && errors.As(err, &status) {
		switch int(status) {
		case http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity:
			u.Lasting = true // the gateway is well, and does not take this
		case http.StatusUnauthorized, http.StatusForbidden, http.StatusGone:
			u.Unreachable, u.Gone = true, false // somebody has to see to it; what waits, waits
		}
	}
	return err
}

var number = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)

// e164 is a telephone number as it is written for all the world. One without a country is
// Indonesian. After 00, which calls abroad in most countries, only Indonesia's own country
// code is taken: in Indonesia 001, 007 and others do, so that it is not known where the
// number begins, and it may be somebody else's.
func e164(s string) (string, bool) {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-()/", r) {
			return -1
		}
		return r
	}, s)
	switch {
	case strings.HasPrefix(s, "0062"):
		s = "+" + s[2:]
	case strings.HasPrefix(s, "00"):
		return s, false
	case strings.HasPrefix(s, "0"):
		s = "+62" + s[1:]
	case strings.HasPrefix(s, "62"):
		s = "+" + s
	}
	if rest, ok := strings.CutPrefix(s, "+620"); ok { // +62 (0) 811
		s = "+62" + rest
	}
	return s, number.MatchString(s)
}
