package main

import (
	"context"

	"github.com/alur-id/alur/adapters/postgres"
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
	return viewsDB{v.Writer, v.Reader, v}, nil
}

func (s stores) openPostgresOutbox(ctx context.Context) (viewsDB, error) {
	o, err := postgres.OpenOutbox(ctx, withScheme(s.db))
	if err != nil {
		return viewsDB{}, err
	}
	return viewsDB{o.Writer, o.Reader, o}, nil
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
