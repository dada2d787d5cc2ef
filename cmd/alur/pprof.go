package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// openPprof listens for those who look into the program: apart from what is served to
// others, and beyond this machine only where an address is named. A port without a host
// is one of this machine.
func openPprof(ctx context.Context, address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &hintError{fmt.Errorf("--pprof %q: %w", address, err), "write it as 127.0.0.1:6060"}
	}
	if host == "" {
		host = "127.0.0.1"
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, &hintError{err, "choose another address with --pprof, such as 127.0.0.1:0"}
	}
	return l, nil
}

// servePprof serves profiles until the function that it returns is called.
func servePprof(ctx context.Context, l net.Listener, logger *slog.Logger) (stop func() error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelWarn)}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	logger.InfoContext(ctx, "profiles are served, and hold what is in memory", "pprof", "http://"+l.Addr().String()+"/debug/pprof/")
	if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		logger.WarnContext(ctx, "profiles can be had from other machines, without a token", "pprof", a.String())
	}
	return func() error {
		err := server.Close()
		if ended := <-done; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		return err
	}
}
