package metrics

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Watch is told of a request when it begins, may give it another context, and is told by
// what it returns of the method, the route and the status when it was answered.
type Watch func(*http.Request) (*http.Request, func(method, route string, status int))

// HTTP counts what a handler answers, and has others watch. Routes are the patterns of the
// handler's [http.ServeMux], which it and what stands between must leave in the request.
func (m *Metrics) HTTP(next http.Handler, others ...Watch) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		seen := &answer{ResponseWriter: w, status: http.StatusOK}
		method := method(r)
		ends := make([]func(method, route string, status int), len(others))
		for i, watch := range others {
			r, ends[i] = watch(r)
		}
		defer func() { // a handler may panic, to cut the connection
			route := Route(r)
			m.requests.WithLabelValues(method, route, strconv.Itoa(seen.status/100)+"xx").Inc()
			m.answers.WithLabelValues(method, route).Observe(time.Since(began).Seconds())
			for _, end := range ends {
				end(method, route, seen.status)
			}
		}()
		next.ServeHTTP(seen, r)
	})
}

// Route is the pattern by which a request was routed, without the method; "none" if by
// none.
func Route(r *http.Request) string {
	_, route, ok := strings.Cut(r.Pattern, " ")
	if !ok {
		route = r.Pattern
	}
	// Where a mux only redirects, it may give the address for a pattern.
	if route == "" || r.Method == http.MethodConnect {
		return "none"
	}
	return route
}

// method is a method that HTTP has, or "other": a caller may send any word.
func method(r *http.Request) string {
	if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"}, r.Method) {
		return r.Method
	}
	return "other"
}

// answer sees the status of what is answered.
type answer struct {
	http.ResponseWriter
	status int
	told   bool
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	if !a.told && status >= http.StatusOK { // 1xx come before the answer
		a.status, a.told = status, true
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (a *answer) Write(b []byte) (int, error) {
	a.told = true
	return a.ResponseWriter.Write(b)
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
