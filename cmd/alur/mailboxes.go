package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/spf13/cobra"

	"github.com/alur-id/alur/adapters/bus"
	"github.com/alur-id/alur/adapters/notify"
	"github.com/alur-id/alur/domain"
)

// unheard is a word of a mailbox in the outward file that nothing published for its tenant
// has: whoever is meant by it is never told. A service may be published later, so it is a
// warning.
type unheard struct {
	office  int // its place in the file, from 1: an address may be a person's
	tenant  domain.TenantCode
	what    string // role or service
	word    string
	nearest string // that there is; empty for none like it
}

// unheard lists the words of mailboxes that nobody will be told by. Roles are looked for in
// every version that was published: what runs is under the older ones, too.
func (h *house) unheard(ctx context.Context, boxes []notify.Mailbox) ([]unheard, error) {
	var list []unheard
	for i, m := range boxes {
		services, err := h.services.Of(ctx, m.Tenant)
		if err != nil {
			return nil, err
		}
		add := func(what, word string, among []string) {
			if !slices.Contains(among, word) {
				list = append(list, unheard{i + 1, m.Tenant, what, word, nearest(word, among)})
			}
		}
		for _, s := range m.Services {
			add("service", s, services)
		}
		var roles []string
		for _, s := range services {
			if len(m.Services) > 0 && !slices.Contains(m.Services, s) {
				continue
			}
			versions, err := h.library.Versions(ctx, m.Tenant, s)
			if err != nil {
				return nil, err
			}
			for _, v := range versions {
				for _, r := range v.Definition.Roles {
					roles = append(roles, string(r.ID))
				}
			}
		}
		if len(m.Services) == 0 || len(roles) > 0 {
			add("role", string(m.Role), roles)
		}
	}
	return list, nil
}

// nearest is the word that a misspelt one most likely meant, as it is told of verbs.
func nearest(word string, among []string) string {
	c := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, x := range among {
		c.AddCommand(&cobra.Command{Use: x, Run: func(*cobra.Command, []string) {}})
	}
	if near := c.SuggestionsFor(word); len(near) > 0 {
		return near[0]
	}
	return ""
}

// mailboxWatch says in the server's log which words of mailboxes nothing has, when it
// starts and when a definition was published.
type mailboxWatch struct {
	house  *house
	boxes  []notify.Mailbox
	logger *slog.Logger

	mu   sync.Mutex
	told []unheard
}

// watched has a reactor look at the mailboxes after each publication.
func (w *mailboxWatch) watched(r bus.Reactor) bus.Reactor {
	handle := r.Handle
	r.Handle = func(msg *message.Message) error {
		if e, err := bus.Event(msg); err == nil {
			if _, ok := e.Body.(domain.WorkflowPublished); ok {
				w.look(msg.Context(), e.Position)
			}
		}
		return handle(msg)
	}
	return r
}

// mailboxPatience is how long it waits for the view of services: one that stands still does
// not keep offices from being told of what came after.
const mailboxPatience = 5 * time.Second

// look looks when the view of services has come to a position, and says what is new.
func (w *mailboxWatch) look(ctx context.Context, at domain.Position) {
	ctx, cancel := context.WithTimeout(ctx, mailboxPatience)
	defer cancel()
	err := w.house.views.WaitFor(ctx, at, "service")
	var list []unheard
	if err == nil {
		list, err = w.house.unheard(ctx, w.boxes)
	}
	if err != nil {
		if !errors.Is(ctx.Err(), context.Canceled) { // else the server ends
			w.logger.WarnContext(ctx, "it was not looked whether offices can be told", "reason", err)
		}
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, u := range list {
		if slices.Contains(w.told, u) {
			continue
		}
		args := []any{"office", u.office, "tenant", u.tenant, u.what, u.word}
		if u.nearest != "" {
			args = append(args, "nearest", u.nearest)
		}
		w.logger.WarnContext(ctx, fmt.Sprintf("nobody is told at a mailbox: nothing published for its tenant has the %s", u.what), args...)
	}
	w.told = list
}

// begin looks once, when the server has started.
func (w *mailboxWatch) begin(ctx context.Context) {
	head, err := w.house.log.Head(ctx)
	if err == nil {
		w.look(ctx, head)
	} else if ctx.Err() == nil {
		w.logger.WarnContext(ctx, "it was not looked whether offices can be told", "reason", err)
	}
}
