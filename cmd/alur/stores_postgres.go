package main

import (
	"context"
	"errors"
)

var errNoPostgres = errors.New("PostgreSQL cannot be used yet")

func (s stores) openPostgresLog(context.Context) (eventLog, features, error) {
	return nil, features{}, errNoPostgres
}

func (s stores) openPostgresViews(context.Context) (viewsDB, error) { return viewsDB{}, errNoPostgres }

func (s stores) openPostgresKeys(context.Context) (keyStore, error) { return nil, errNoPostgres }

func (s stores) openPostgresBare(context.Context) (bareStore, error) { return nil, errNoPostgres }
