package httpapi

import (
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// guarded lets only those call the API who should: whoever holds the token, or,
// where none is set, whoever is on this machine and is not a page of another
// site in somebody's browser. The health of the service is no secret.
func (a *api) guarded(next http.Handler) http.Handler {
	sameSite := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		switch {
		case r.URL.Path == "/healthz":
			next.ServeHTTP(w, r)
		case sameSite.Check(r) != nil:
			writeProblem(w, newProblem(http.StatusForbidden, "cross_origin", "a cross-origin request from a browser is not taken", "call the API from a program"))
		case a.Token == "" && (!namesThisMachine(r.Host) || forwarded(r)):
			// A name that somebody else made point here (DNS rebinding), or a proxy
			// that lets others in.
			writeProblem(w, newProblem(http.StatusMisdirectedRequest, "host", "without a token the API answers only to this machine's own name and to no proxy", "call it as localhost, or start the server with a token"))
		case a.Token != "" && (!strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare([]byte(token), []byte(a.Token)) != 1):
			w.Header().Set("WWW-Authenticate", `Bearer realm="alur"`)
			writeProblem(w, newProblem(http.StatusUnauthorized, "token", "this API wants a token", "send Authorization: Bearer and the token the server was started with"))
		case strings.Contains(r.URL.Path, "\x00") || strings.Contains(r.URL.RawQuery, "%00"):
			// Not every database takes it in a text, and nothing has a name with it.
			writeProblem(w, newProblem(http.StatusBadRequest, "invalid", "the address has a character with the code 0", "leave it out"))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// forwarded reports whether a proxy says that it passed the request on. One that
// does not say so cannot be told from a local caller.
func forwarded(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

// namesThisMachine reports whether a Host header names the loopback interface.
func namesThisMachine(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
