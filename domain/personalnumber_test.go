package domain

import (
	"errors"
	"strings"
	"testing"
)

// A quantity is nobody's number because it has many digits: only where these hold a place
// and a date of birth, as those of a NIK do, or two dates, as those of a NIP.
func TestNumbersOfPeopleAmongQuantities(t *testing.T) {
	for n, found := range map[float64]string{
		62_812_345_678: "", 6_281_234_567: "", 1e15: "", 1_000_000_000_000_001: "", 5_000_000_000_000_000: "", 1_250_000_000_000_000: "", 1e17: "", 1e300: "",
		1171010101900001: "a NIK", 1171014101900001: "a NIK", 1171010101900001.5: "a NIK", -1171010101900001: "a NIK", 9471123112990001: "a NIK",
		1171013201900001: "", 1171010113900001: "", 1071010101900001: "", 1171010101900000: "a NIK",
		198001012006041001: "the NIP", 198013012006041001: "",
	} {
		err := nothingPersonal(Facts{"value": n}, nil)
		if found == "" {
			if err != nil {
				t.Errorf("%.0f: %v", n, err)
			}
			continue
		}
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Rule != RulePersonalData || !strings.Contains(err.Error(), found) || strings.Contains(err.Error(), "0101") {
			t.Errorf("%.0f: %v, not %s", n, err, found)
		}
	}
	for text, found := range map[string]string{"62812345678": "a telephone number", "1171010101900001": "a NIK", "a@example.org": "an e-mail address", "5000000000000000": "a NIK"} {
		if err := nothingPersonal(Facts{"value": text}, nil); err == nil || !strings.Contains(err.Error(), found) {
			t.Errorf("%s: %v, not %s", text, err, found)
		}
	}
}
