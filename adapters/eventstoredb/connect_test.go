package eventstoredb

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// TestTrap8CredentialsDropped: without TLS the library does not send credentials,
// and says nothing.
func TestTrap8CredentialsDropped(t *testing.T) {
	for _, c := range []string{
		"esdb://admin:hunter2@127.0.0.1:1?tls=false",
		"esdb://admin:hunter2@127.0.0.1:1,127.0.0.2:1?TLS=False",
		"esdb+discover://admin@127.0.0.1:1?tls=false",
		"esdb://127.0.0.1:1?tls=false&userCertFile=/a&userKeyFile=/b",
	} {
		_, err := Open(soon(t), c)
		if err == nil || !strings.Contains(err.Error(), "tls=false") || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v", c, err)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []string{
		"esdb://127.0.0.1:2113?tls=false", "esdb://admin:x@a:1,b:2,c:3", "esdb+discover://admin:x@cluster?tlsVerifyCert=false&keepAliveInterval=-1",
	} {
		config, err := parse(c)
		if err != nil {
			t.Errorf("%s: %v", c, err)
			continue
		}
		if want := strings.Contains(c, "tls=false"); config.DisableTLS != want {
			t.Errorf("%s: TLS is off: %v", c, config.DisableTLS)
		}
	}
	for _, c := range []string{
		"", "postgres://admin:hunter2@a", "esdb://admin:hunter2@a:b:c", "esdb://admin:hunter2@a/%zz", "esdb://admin:hunter2@a:1,b:%zz?tls=true",
		"esdb://admin:hunter2@a?tls=perhaps", "esdb://admin:hunter2@a?tsl=false", "esdb://admin:hunter2@a?%zz=1", "esdb://a?keepaliveinterval=9999",
		"esdb://a?defaultDeadline=x", "esdb://:hunter2@a",
	} {
		if _, err := parse(c); err == nil {
			t.Errorf("%s: taken", c)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error repeats the password: %v", c, err)
		}
	}
}

// TestLeaderPreferred: whatever a connection string prefers, others than the
// leader would turn us away.
func TestLeaderPreferred(t *testing.T) {
	s := serve(t)
	l := opened(t, s.ConnectionString()+"&nodePreference=follower", idle())
	if p := l.healer.config.NodePreference; p != esdb.NodePreferenceLeader {
		t.Errorf("prefers %s", p)
	}
}
