package main

import (
	"context"

	"github.com/alur-id/alur/adapters/postgres"
	"github.com/alur-id/alur/projections"
)

func (s stores) openPostgresLog(ctx context.Context) (eventLog, features, error) {
	open := postgres.OpenLog
	if s.readOnly {
		open = postgres.OpenLogReadOnly
	}
	log, err := open(ctx, withScheme(s.db))
	return opened(log, features{gapless: true, kind: "postgres"}, err)
}

func (s stores) openPostgresViews(ctx context.Context) (viewsDB, error) {
	v, err := postgres.OpenViews(ctx, withScheme(s.db))
	if err != nil {
		return viewsDB{}, err
	}
	leases := func(ctx context.Context) (projections.Leases, error) { return v.Leases(ctx) }
	return viewsDB{v.Writer, v.Reader, leases, v}, nil
}

func (s stores) openPostgresOutbox(ctx context.Context) (outboxDB, error) {
	o, err := postgres.OpenOutbox(ctx, withScheme(s.db))
	if err != nil {
		return outboxDB{}, err
	}
	return outboxDB{o.Writer, o.Reader, o}, nil
}

func (s stores) openPostgresKeys(ctx context.Context) (keyStore, error) {
	open := postgres.OpenKeys
	if s.readOnly {
		open = postgres.OpenKeysReadOnly
	}
	store, err := open(ctx, withScheme(s.db))
	if err != nil {
		return nil, err
	}
	return store, nil
}

func (s stores) openPostgresBare(ctx context.Context) (bareStore, error) {
	store, err := postgres.OpenBare(ctx, withScheme(s.db))
	if err != nil {
		return nil, err
	}
	return store, nil
}
