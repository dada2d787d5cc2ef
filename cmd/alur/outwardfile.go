package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/notify"
	"github.com/alur-id/alur/adapters/notify/webhook"
	"github.com/alur-id/alur/domain"
)

// outwardFile says who is told what by this program. It holds secrets.
type outwardFile struct {
	Mail     *mailTo    `yaml:"mail"`
	SMS      *endpoint  `yaml:"sms"`
	WhatsApp *endpoint  `yaml:"whatsapp"`
	Quiet    *hours     `yaml:"quiet"`
	Offices  []mailbox  `yaml:"offices"`
	Webhooks []endpoint `yaml:"webhooks"`
}

// mailbox is where those are written to who have a role at a tenant.
type mailbox struct {
	Tenant   string   `yaml:"tenant"`
	Role     string   `yaml:"role"`
	Services []string `yaml:"services"` // none: all
	Mail     string   `yaml:"mail"`
}

// mailTo is a mail server.
type mailTo struct {
	Server string `yaml:"server"`
	From   string `yaml:"from"`
}

// hours are quiet hours, by the clock of each tenant.
type hours struct {
	From string `yaml:"from"`
	To   string `yaml:"to"`
}

// quiet are the hours in which nobody is told anything who did not say otherwise.
func (f *outwardFile) quiet() domain.Quiet {
	if f == nil || f.Quiet == nil {
		return domain.UsualQuiet
	}
	q, _ := domain.ParseQuiet(f.Quiet.From, f.Quiet.To) // checked
	return q
}

// endpoint is another system that takes messages by HTTP.
type endpoint struct {
	Name     string   `yaml:"name"` // of a webhook
	URL      string   `yaml:"url"`
	Keys     []string `yaml:"keys"`
	Networks []string `yaml:"networks"` // private ones that it may be in
	Tenants  []string `yaml:"tenants"`  // of a webhook: whose events; none: all
	Types    []string `yaml:"types"`    // of a webhook: which events; none: all

	client *webhook.Client
	public []string // keys, of those that are private
}

const maxOutward = 1 << 20

// readOutward reads the file, and makes what it names. Errors do not repeat secrets.
func readOutward(path string) (*outwardFile, error) {
	text, err := readFile(path, maxOutward)
	if err != nil {
		return nil, err
	}
	var f outwardFile
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&f); err != nil {
		var where yaml.Error
		if !errors.As(err, &where) {
			return nil, fmt.Errorf("%s is empty, or no YAML", path)
		}
		at := where.GetToken().Position // the library's own text shows lines around it
		return nil, fmt.Errorf("%s:%d:%d: %s", path, at.Line, at.Column, where.GetMessage())
	}
	if err := f.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &f, nil
}

var laneName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`)

func (f *outwardFile) check() error {
	for name, e := range map[string]*endpoint{"sms": f.SMS, "whatsapp": f.WhatsApp} {
		if e == nil {
			continue
		}
		if e.Name != "" || len(e.Tenants)+len(e.Types) > 0 {
			return fmt.Errorf("%s: name, tenants and types are for webhooks", name)
		}
		var anywhere []netip.Prefix // the operator chose the gateway
		if strings.HasPrefix(e.URL, "https:") {
			anywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
		}
		if err := e.open(anywhere...); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	for i := range f.Webhooks {
		e := &f.Webhooks[i]
		switch {
		case !laneName.MatchString(e.Name):
			return fmt.Errorf("webhook %d: its name is to be of small letters, digits and dashes", i+1)
		case slices.ContainsFunc(f.Webhooks[:i], func(x endpoint) bool { return x.Name == e.Name }):
			return fmt.Errorf("webhook %s: there are two of that name", e.Name)
		}
		if err := e.open(); err != nil {
			return fmt.Errorf("webhook %s: %w", e.Name, err)
		}
		for _, t := range e.Tenants {
			if _, err := domain.ParseTenantCode(t); err != nil {
				return fmt.Errorf("webhook %s: %w", e.Name, err)
			}
		}
		for _, t := range e.Types {
			if !known(t) {
				return fmt.Errorf("webhook %s: there is no integration event %q", e.Name, t)
			}
		}
	}
	for i := range f.Offices {
		m := &f.Offices[i]
		_, err := domain.ParseTenantCode(m.Tenant)
		address, unwritten := mail.ParseAddress(m.Mail)
		switch {
		case f.Mail == nil:
			return errors.New("offices: they are told by e-mail, and the file names no mail server")
		case err != nil:
			return fmt.Errorf("office %d: %w", i+1, err)
		case m.Role == "":
			return fmt.Errorf("office %d: it names no role", i+1)
		case unwritten != nil:
			return fmt.Errorf("office %d: mail is no address such as izin@example.go.id", i+1)
		}
		m.Mail = address.Address // so that one mailbox is one however it is written
	}
	if f.Quiet != nil {
		if _, err := domain.ParseQuiet(f.Quiet.From, f.Quiet.To); err != nil {
			return fmt.Errorf("quiet: %w", err)
		}
	}
	_, err := f.gateways()
	return err
}

// known reports whether there are integration events of a type, or of one that begins so:
// alur.request.*
func known(pattern string) bool {
	for t := range bus.OutwardTypes() {
		if matches(pattern, t) {
			return true
		}
	}
	return false
}

func matches(pattern, t string) bool {
	begin, any := strings.CutSuffix(pattern, "*")
	return pattern == t || any && strings.HasPrefix(t, begin)
}

// open makes the client; what is allowed beside the networks of the file comes with it.
func (e *endpoint) open(allowed ...netip.Prefix) error {
	c := webhook.Config{URL: e.URL, Allowed: allowed}
	for _, n := range e.Networks {
		p, err := netip.ParsePrefix(n)
		if err != nil {
			return fmt.Errorf("%q is no network such as 10.1.0.0/16", n)
		}
		c.Allowed = append(c.Allowed, p)
	}
	for i, text := range e.Keys {
		k, err := webhook.ParseKey(text)
		if err != nil {
			return fmt.Errorf("key %d: %w", i+1, err)
		}
		c.Keys = append(c.Keys, k)
		if p := k.Public(); p != "" {
			e.public = append(e.public, p)
		}
	}
	var err error
	e.client, err = webhook.NewClient(c)
	return err
}

// mailboxes are those of offices.
func (f *outwardFile) mailboxes() []notify.Mailbox {
	var all []notify.Mailbox
	for _, m := range f.Offices {
		all = append(all, notify.Mailbox{Tenant: domain.TenantCode(m.Tenant), Role: domain.RoleID(m.Role), Services: m.Services, Address: m.Mail})
	}
	return all
}

// wants reports whether an endpoint is told of an integration event.
func (e *endpoint) wants(tenant domain.TenantCode, t string) bool {
	return (len(e.Tenants) == 0 || slices.Contains(e.Tenants, string(tenant))) &&
		(len(e.Types) == 0 || slices.ContainsFunc(e.Types, func(p string) bool { return matches(p, t) }))
}

// gateways are those that applicants are told by.
func (f *outwardFile) gateways() (map[domain.Channel]notify.Gateway, error) {
	all := map[domain.Channel]notify.Gateway{}
	if f.Mail != nil {
		m, err := notify.NewMail(notify.MailConfig{URL: f.Mail.Server, From: f.Mail.From})
		if err != nil {
			return nil, err
		}
		all[domain.ChannelEmail] = m
	}
	if f.SMS != nil {
		all[domain.ChannelSMS] = notify.Phone{Client: f.SMS.client, Channel: domain.ChannelSMS}
	}
	if f.WhatsApp != nil {
		all[domain.ChannelWhatsApp] = notify.Phone{Client: f.WhatsApp.client, Channel: domain.ChannelWhatsApp}
	}
	return all, nil
}
