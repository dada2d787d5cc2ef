package domain

import (
	"fmt"
	"time"
)

// TenantCode names one Mal Pelayanan Publik: a regency or city by its
// Kemendagri code, two digits of the province, a dot, two of the region
// ("11.71" is Kota Banda Aceh).
type TenantCode string

// ParseTenantCode refuses anything that is not of the form 11.71. It does not
// know which codes are given out: regions split and are renumbered.
func ParseTenantCode(s string) (TenantCode, error) {
	if len(s) != 5 || s[2] != '.' || !digits(s[:2]) || !digits(s[3:]) || s[0] == '0' {
		return "", fmt.Errorf("tenant code %q: want a Kemendagri code such as 11.71", s)
	}
	return TenantCode(s), nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Zone is the tenant's time zone: WIB (UTC+7), WITA (UTC+8) or WIT (UTC+9),
// which Keppres 41/1987 gives province by province. Indonesia has no daylight
// saving time, so a fixed offset is exact for every date since 1988.
// The split provinces of Papua (91 to 97) all lie in WIT.
func (c TenantCode) Zone() *time.Location {
	if len(c) < 2 {
		return wib
	}
	switch c[:2] {
	case "51", "52", "53", "63", "64", "65", "71", "72", "73", "74", "75", "76":
		return wita
	case "81", "82", "91", "92", "93", "94", "95", "96", "97":
		return wit
	default:
		return wib
	}
}

var (
	wib  = time.FixedZone("WIB", 7*60*60)
	wita = time.FixedZone("WITA", 8*60*60)
	wit  = time.FixedZone("WIT", 9*60*60)
)

// Zones are those of Indonesia, from west to east.
func Zones() []*time.Location { return []*time.Location{wib, wita, wit} }
