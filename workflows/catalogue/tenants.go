package catalogue

import (
	"bytes"
	_ "embed"
	"fmt"

	"github.com/goccy/go-yaml"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

//go:embed tenants.yaml
var tenants []byte

// Tenant is a Mal Pelayanan Publik: a regency or city, and the agencies in it.
type Tenant struct {
	Code     domain.TenantCode `yaml:"code"`
	Name     workflows.Text    `yaml:"name"`
	Zone     string            `yaml:"zone"` // WIB, WITA or WIT
	IANA     string            `yaml:"iana"` // the zone's name in the tz database
	Agencies []Agency          `yaml:"agencies"`
}

// Agency is an office that has a desk there. Assumed says that no source names it.
type Agency struct {
	Office  string         `yaml:"office"`
	Name    workflows.Text `yaml:"name"`
	Assumed bool           `yaml:"assumed"`
}

// Tenants returns the pilots of MPP Digital, in the order of their codes. An error
// is a fault of the program, not of its user.
func Tenants() ([]Tenant, error) {
	var file struct {
		Tenants []Tenant `yaml:"tenants"`
	}
	if err := yaml.NewDecoder(bytes.NewReader(tenants), yaml.Strict()).Decode(&file); err != nil {
		return nil, fmt.Errorf("catalogue: tenants: %w", err)
	}
	for _, t := range file.Tenants {
		if _, err := domain.ParseTenantCode(string(t.Code)); err != nil {
			return nil, fmt.Errorf("catalogue: tenants: %w", err)
		}
	}
	return file.Tenants, nil
}
