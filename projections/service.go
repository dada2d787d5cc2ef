package projections

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/alur-id/alur/domain"
)

// ServiceProjection keeps one row for each service that a tenant ever published a
// workflow of. What is in force of it, the library says.
type ServiceProjection struct{}

var _ Projection = ServiceProjection{}

// Name implements [Projection].
func (ServiceProjection) Name() string { return "service" }

// Schema implements [Projection].
func (ServiceProjection) Schema() string {
	return `
CREATE TABLE service (
	tenant  TEXT NOT NULL,
	service TEXT NOT NULL,
	PRIMARY KEY (tenant, service)
);`
}

type serviceRow struct {
	Tenant  domain.TenantCode
	Service string
}

var serviceTable = &Table[serviceRow]{
	Name: "service", Key: 2, Group: 2,
	Concerns: func(c *Concerned, e domain.Recorded) {
		if _, ok := e.Body.(domain.WorkflowPublished); ok {
			c.Known(Key{string(e.Tenant), e.Workflow.ID})
		}
	},
	Fold: func(rows *Rows[serviceRow], e domain.Recorded) error {
		if _, ok := e.Body.(domain.WorkflowPublished); ok && rows.One(Key{string(e.Tenant), e.Workflow.ID}) == nil {
			rows.Add(serviceRow{e.Tenant, e.Workflow.ID})
		}
		return nil
	},
}

// Apply implements [Projection].
func (ServiceProjection) Apply(ctx context.Context, tx Tx, events []domain.Recorded) error {
	return serviceTable.Apply(ctx, tx, events)
}

// ServiceView reads which services there are.
type ServiceView struct{ db *sql.DB }

// NewServiceView returns a reader over a database that will have the table.
func NewServiceView(db *sql.DB) *ServiceView { return &ServiceView{db} }

// Of lists the services of a tenant, in the order of their names.
func (v *ServiceView) Of(ctx context.Context, tenant domain.TenantCode) ([]string, error) {
	rows, err := v.db.QueryContext(ctx, `SELECT service FROM service WHERE tenant = $1 ORDER BY service`, tenant)
	return texts[string](rows, err, "list services")
}

// Tenants lists the tenants that have services, in the order of their codes.
func (v *ServiceView) Tenants(ctx context.Context) ([]domain.TenantCode, error) {
	rows, err := v.db.QueryContext(ctx, `SELECT DISTINCT tenant FROM service ORDER BY tenant`)
	return texts[domain.TenantCode](rows, err, "list tenants")
}

// texts are the rows of a question that has one column.
func texts[T ~string](rows *sql.Rows, err error, what string) ([]T, error) {
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer rows.Close()
	list := []T{}
	for rows.Next() {
		var s T
		if err := rows.Scan(&s); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return list, nil
}

// Offered is a service of a tenant.
type Offered struct {
	Tenant  domain.TenantCode
	Service string
}

// All lists the services of every tenant, in the order of the codes and names.
func (v *ServiceView) All(ctx context.Context) ([]Offered, error) {
	rows, err := v.db.QueryContext(ctx, `SELECT tenant, service FROM service ORDER BY tenant, service`)
	if err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	defer rows.Close()
	list := []Offered{}
	for rows.Next() {
		var o Offered
		if err := rows.Scan(&o.Tenant, &o.Service); err != nil {
			return nil, fmt.Errorf("list services: %w", err)
		}
		list = append(list, o)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list services: %w", err)
	}
	return list, nil
}

// Running counts the requests of a service that have not ended, by the version of
// the workflow that they are judged by.
func (v *StatusView) Running(ctx context.Context, tenant domain.TenantCode, service string) (map[int]int, error) {
	rows, err := v.db.QueryContext(ctx, `SELECT workflow_version, COUNT(*) FROM status
		WHERE tenant = $1 AND service = $2 AND outcome = '' GROUP BY workflow_version`, tenant, service)
	if err != nil {
		return nil, fmt.Errorf("count running requests: %w", err)
	}
	defer rows.Close()
	counts := map[int]int{}
	for rows.Next() {
		var version, n int
		if err := rows.Scan(&version, &n); err != nil {
			return nil, fmt.Errorf("count running requests: %w", err)
		}
		counts[version] = n
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("count running requests: %w", err)
	}
	return counts, nil
}

// Under lists the requests of a service that run under a version of its workflow, in
// the order in which they were submitted.
func (v *StatusView) Under(ctx context.Context, tenant domain.TenantCode, service string, version int) ([]Status, error) {
	rows, err := v.db.QueryContext(ctx, `SELECT `+statusColumns+`, '' FROM status
		WHERE tenant = $1 AND service = $2 AND workflow_version = $3 AND outcome = '' ORDER BY began`, tenant, service, version)
	if err != nil {
		return nil, fmt.Errorf("list running requests: %w", err)
	}
	defer rows.Close()
	var list []Status
	for rows.Next() {
		s, err := scanStatus(rows)
		if err != nil {
			return nil, fmt.Errorf("list running requests: %w", err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list running requests: %w", err)
	}
	return list, nil
}
