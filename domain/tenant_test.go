package domain_test

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alur-id/alur/domain"
)

func TestParseTenantCode(t *testing.T) {
	for _, s := range []string{"", "11", "1171", "11.7", "11.711", "aa.bb", "11,71", "01.71", "11.71\n"} {
		if got, err := domain.ParseTenantCode(s); err == nil {
			t.Errorf("%q was read as %q", s, got)
		}
	}
	if got, err := domain.ParseTenantCode("11.71"); err != nil || got != "11.71" {
		t.Errorf("11.71 was read as %q, %v", got, err)
	}
}

// Every regency and city, by the Kemendagri list with the zone of its province.
func TestZoneOfEveryRegion(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "shared", "data", "kabupaten_kota_id.csv"))
	if errors.Is(err, os.ErrNotExist) {
		if os.Getenv("CI") != "" {
			t.Fatalf("the list of regions is missing in CI: %v", err)
		}
		t.Skip("THE LIST OF REGIONS IS NOT BESIDE THE CHECKOUT: not tested")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	offsets := map[string]int{"Asia/Jakarta": 7, "Asia/Pontianak": 7, "Asia/Makassar": 8, "Asia/Jayapura": 9}
	for _, row := range rows[1:] {
		code, err := domain.ParseTenantCode(row[0])
		if err != nil {
			t.Error(err)
		}
		if _, offset := time.Unix(0, 0).In(code.Zone()).Zone(); offset != offsets[row[6]]*3600 {
			t.Errorf("%s %s has UTC+%d, want %s", row[0], row[3], offset/3600, row[6])
		}
	}
	if len(rows) != 515 {
		t.Errorf("%d rows, want 514 and a header", len(rows))
	}
}
