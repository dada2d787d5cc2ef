package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// scheme is what stands before the :// of a URL, in small letters; empty for the
// name of a file.
func scheme(name string) string {
	before, _, is := strings.Cut(name, "://")
	if !is {
		return ""
	}
	return strings.ToLower(before)
}

func isPostgres(name string) bool { return scheme(name) == "postgres" || scheme(name) == "postgresql" }

func isEventStore(name string) bool { return scheme(name) == "esdb" || scheme(name) == "esdb+discover" }

// withScheme is the URL with its scheme in small letters, the only ones that the
// clients of the servers know.
func withScheme(url string) string { return scheme(url) + url[len(scheme(url)):] }

// storesOf is the stores that one word names.
func storesOf(name string) stores {
	if isEventStore(name) {
		return stores{log: name}
	}
	return stores{db: name}
}

// urlLike is what somebody meant for a server and no file is called by: settings
// (host=...), or a URL without its slashes.
var urlLike = regexp.MustCompile(`(?i)^[^./\\].*\b(host|user|dbname|password|port)\s*=|^(postgres(ql)?|esdb(\+discover)?):`)

// check refuses names that mean no store. What is printed is never the name of
// what is no file: it may hold a password.
func (s stores) check() error {
	switch {
	case s.log != "" && !isEventStore(s.log):
		return errors.New("--log: want an esdb:// or esdb+discover:// URL; a log in a file or in PostgreSQL is named by --db")
	case isPostgres(s.db):
		return nil
	case isEventStore(s.db):
		return &hintError{errors.New("--db names where views and keys are kept: a FILE, or a postgres:// URL"), "name a log in EventStoreDB with --log"}
	case scheme(s.db) != "":
		return errors.New("--db: want a FILE or a postgres:// URL; this is the URL of something else")
	case urlLike.MatchString(s.db):
		return &hintError{errors.New("--db: want a FILE or a postgres:// URL; this looks like a connection string"), "write it as postgres://USER@HOST/DATABASE; a file of such a name can be given as ./NAME"}
	case strings.HasSuffix(s.db, ".kek"):
		return fmt.Errorf("--db %s: files named .kek hold key-encryption keys; name a database otherwise", s.db)
	case s.kek != "" && filepath.Clean(s.kek) == filepath.Clean(s.db):
		return errors.New("--db and --kek name the same file")
	}
	return nil
}

// beside is a file next to the database file: alur.db has alur.views.db.
func beside(db, what string) string {
	ext := filepath.Ext(db)
	return strings.TrimSuffix(db, ext) + "." + what + ext
}
