package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/alur-id/alur/domain"
)

// languages are those of the pages, the default first.
var languages = []string{"id", "en"}

var matcher = language.NewMatcher([]language.Tag{language.Indonesian, language.English})

func readMessages() (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	for _, lang := range languages {
		b, err := files.ReadFile("messages/" + lang + ".json")
		if err != nil {
			return nil, err
		}
		m := map[string]string{}
		if err := json.Unmarshal(b, &m); err != nil {
			return nil, fmt.Errorf("messages in %s: %w", lang, err)
		}
		all[lang] = m
	}
	return all, nil
}

const languageCookie = "lang"

// choose is the language of a page: what the link says, what was chosen before,
// what the browser asks for, Indonesian. A choice is remembered for a year.
func choose(w http.ResponseWriter, r *http.Request) string {
	w.Header().Add("Vary", "Accept-Language, Cookie")
	if lang := r.URL.Query().Get("lang"); lang == "id" || lang == "en" {
		http.SetCookie(w, &http.Cookie{
			Name: languageCookie, Value: lang, Path: "/", MaxAge: 365 * 24 * 60 * 60,
			HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		return lang
	}
	if c, err := r.Cookie(languageCookie); err == nil && (c.Value == "id" || c.Value == "en") {
		return c.Value
	}
	// The index, not the tag: the tag may carry a region that is no language of ours.
	_, i := language.MatchStrings(matcher, r.Header.Get("Accept-Language"))
	return languages[i]
}

// moment is a time as a page shows it and as a machine reads it.
type moment struct{ Text, Machine string }

var months = map[string][12]string{
	"id": {"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"},
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
}

// momentOf writes a time in the tenant's zone: "23 November 2026 pukul 14.05 WIB".
func momentOf(t time.Time, tenant domain.TenantCode, lang string) moment {
	t = t.In(tenant.Zone())
	layout, at := "15.04", "pukul"
	if lang == "en" {
		layout, at = "15:04", "at"
	}
	return moment{
		Text:    fmt.Sprintf("%d %s %d %s %s", t.Day(), months[lang][t.Month()-1], t.Year(), at, t.Format(layout+" MST")),
		Machine: t.Format(time.RFC3339),
	}
}

// rupiah is an amount as the language writes it: "Rp 2.500.000".
func rupiah(amount int64, lang string) string {
	return message.NewPrinter(language.MustParse(lang)).Sprintf("Rp %d", amount)
}
