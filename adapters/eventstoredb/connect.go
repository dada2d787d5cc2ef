package eventstoredb

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// settingNames are what a connection string may set.
var settingNames = []string{
	"tls", "tlscafile", "tlsverifycert", "usercertfile", "userkeyfile", "keepaliveinterval", "keepalivetimeout",
	"gossiptimeout", "discoveryinterval", "maxdiscoverattempts", "nodepreference", "defaultdeadline",
}

// leastKeepAlive is in milliseconds; gRPC takes no less.
const leastKeepAlive = 10_000

// parse reads a connection string, and refuses what the library would take
// silently and not do, or print a warning about: credentials without TLS, which it
// does not send; settings it does not know, such as a misspelt "tls". No error
// repeats the string, for it may hold a password.
func parse(connectionString string) (*esdb.Configuration, error) {
	if err := checkSettings(connectionString); err != nil {
		return nil, fmt.Errorf("connection string of the event log: %w", err)
	}
	config, err := esdb.ParseConnectionString(connectionString)
	var whole *url.Error // repeats it
	if errors.As(err, &whole) {
		err = whole.Err
	}
	if err != nil {
		return nil, fmt.Errorf("connection string of the event log: %w", err)
	}
	if config.DisableTLS && (config.Username != "" || config.Password != "" || config.UserCertFile != "" || config.UserKeyFile != "") {
		return nil, errors.New("connection string of the event log: credentials with tls=false would never be sent; use TLS, or a server that asks for none")
	}
	return config, nil
}

// checkSettings looks at what stands behind the question mark.
func checkSettings(connectionString string) error {
	_, query, _ := strings.Cut(connectionString, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("the settings cannot be read")
	}
	for name, given := range values {
		lower := strings.ToLower(name)
		if !slices.Contains(settingNames, lower) {
			return fmt.Errorf("unknown setting %q", name)
		}
		n, err := strconv.Atoi(given[0])
		if lower == "keepaliveinterval" && err == nil && n >= 0 && n < leastKeepAlive {
			return fmt.Errorf("%s is less than %d ms", name, leastKeepAlive)
		}
		if lower == "defaultdeadline" && (err != nil || n < 1) {
			return fmt.Errorf("%s must be a number of milliseconds", name)
		}
	}
	return nil
}
