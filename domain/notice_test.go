package domain_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alur-id/alur/domain"
)

func TestQuietHoursEndByTheClockOfTheTenant(t *testing.T) {
	night := domain.Quiet{From: 21 * 60, To: 6 * 60}
	at := func(clock string, zone *time.Location) time.Time {
		t.Helper()
		moment, err := time.ParseInLocation("2 15:04:05", clock, zone)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	wib, wit := domain.TenantCode("11.71").Zone(), domain.TenantCode("91.71").Zone()
	for name, c := range map[string]struct {
		quiet    domain.Quiet
		zone     *time.Location
		at, want string // day and time there
	}{
		"in the day":             {night, wib, "3 12:00:00", "3 12:00:00"},
		"before it begins":       {night, wib, "3 20:59:59", "3 20:59:59"},
		"as it begins":           {night, wib, "3 21:00:00", "4 06:00:00"},
		"before midnight":        {night, wit, "3 23:59:59", "4 06:00:00"},
		"after midnight":         {night, wit, "4 00:00:00", "4 06:00:00"},
		"its last second":        {night, wit, "4 05:59:59", "4 06:00:00"},
		"as it ends":             {night, wib, "4 06:00:00", "4 06:00:00"},
		"within a day, in it":    {domain.Quiet{From: 12 * 60, To: 13*60 + 30}, wib, "3 12:10:00", "3 13:30:00"},
		"within a day, after it": {domain.Quiet{From: 12 * 60, To: 13*60 + 30}, wib, "3 13:30:00", "3 13:30:00"},
		"none":                   {domain.Quiet{From: 600, To: 600}, wib, "3 10:00:00", "3 10:00:00"},
		"until midnight":         {domain.Quiet{From: 20 * 60, To: 0}, wib, "3 22:00:00", "4 00:00:00"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, want := c.quiet.Until(at(c.at, c.zone).UTC(), c.zone), at(c.want, c.zone); !got.Equal(want) {
				t.Errorf("quiet until %s, want %s", got.In(c.zone), want)
			}
		})
	}
	// The same moment is night in the east and evening in the west.
	moment := at("3 20:00:00", wib)
	if !night.Until(moment, wib).Equal(moment) || night.Until(moment, wit).Equal(moment) {
		t.Error("20:00 WIB is 22:00 WIT: it is quiet there only")
	}
}

func TestPreferencesThatKeepNobodyFromBeingTold(t *testing.T) {
	for name, b := range map[string]domain.NoticesPreferred{
		"another language":  {Language: "fr"},
		"another channel":   {Channels: []domain.Channel{"pigeon"}},
		"a channel twice":   {Channels: []domain.Channel{"sms", "sms"}},
		"quiet all day":     {Quiet: &domain.Quiet{From: 60, To: 59}},
		"no time of a day":  {Quiet: &domain.Quiet{From: 1440, To: 60}},
		"before the day":    {Quiet: &domain.Quiet{From: 0, To: -1}},
		"quiet for 15 hour": {Quiet: &domain.Quiet{From: 0, To: 900}},
	} {
		if err := b.Check(); err == nil {
			t.Errorf("%s is let pass", name)
		}
	}
	ok := domain.NoticesPreferred{Language: "en", Channels: []domain.Channel{domain.ChannelSMS}, Quiet: &domain.Quiet{From: 1200, To: 480}}
	if err := ok.Check(); err != nil {
		t.Error(err)
	}
	for _, c := range [][2]string{{"21:00", "06:00"}, {"00:00", "00:00"}} {
		q, err := domain.ParseQuiet(c[0], c[1])
		if from, to := q.Clock(); err != nil || from != c[0] || to != c[1] {
			t.Errorf("%v is read as %s to %s, %v", c, from, to, err)
		}
	}
	for _, c := range [][2]string{{"21", "06:00"}, {"24:00", "06:00"}, {"", ""}, {"06:01", "06:00"}} {
		if _, err := domain.ParseQuiet(c[0], c[1]); err == nil {
			t.Errorf("%v is let pass", c)
		}
	}
	email, sms := domain.ChannelEmail, domain.ChannelSMS
	for _, c := range []struct{ there, want []domain.Channel }{
		{[]domain.Channel{email, sms}, []domain.Channel{sms}},
		{[]domain.Channel{email}, []domain.Channel{email}}, // there is no address for the one that is preferred
		{nil, nil},
	} {
		if d := cmp.Diff(c.want, ok.Choose(c.there)); d != "" {
			t.Errorf("of %v (-want +got)\n%s", c.there, d)
		}
	}
}

func TestWhatBecameOfAMessage(t *testing.T) {
	var n domain.Notices
	add := func(b domain.Body) {
		e := domain.Recorded{Event: domain.Event{Envelope: domain.Envelope{At: noon}, Body: b}}
		n = domain.EvolveNotices(n, e)
	}
	other := message
	other.ID = domain.MessageID(id(3), domain.ChannelSMS, false)
	if other.ID == message.ID || message.ID != domain.MessageID(id(3), domain.ChannelEmail, false) {
		t.Fatal("a message's id is that of an event and a channel")
	}
	add(domain.ApplicantNotNotified{Message: message, Fault: domain.NoticeRefused})
	before := n
	add(domain.ApplicantNotified{Message: other})
	add(domain.ApplicantNotified{Message: message}) // somebody had it tried again
	add(domain.NoticesPreferred{Language: "en"})
	want := domain.Notices{
		Preferred: domain.NoticesPreferred{Language: "en"},
		Messages:  []domain.MessageOutcome{{Message: message, At: noon}, {Message: other, At: noon}},
	}
	if d := cmp.Diff(want, n); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if o, ok := before.Outcome(message.ID); !ok || o.Fault != domain.NoticeRefused {
		t.Error("a later state changed an earlier one")
	}
}
