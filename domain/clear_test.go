package domain_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/alur-id/alur/domain"
)

// What people write is kept in the clear for ever and shown: it names no person's number
// or address, wherever in the sentence that stands, and it is one line. What laws and
// decrees are called, with their many numbers, is fine.
func TestTextsInTheClear(t *testing.T) {
	const fine = domain.Rule("")
	for text, want := range map[string]domain.Rule{
		"": fine, "Perwal 7/2026": fine, "joint decree for 2027": fine, "Perwal 9/2026 pasal 3 ayat (2) huruf b": fine,
		"SKB 1497/2025, 2/2025, 5/2025":                                  fine,
		"Keputusan Bersama Nomor 933 Tahun 2025, Nomor 1 Tahun 2025":     fine,
		"2026-11-23 to 2027-01-01, 08.00-16.00":                          fine,
		"closed on 2026-12-24, 2026-12-25, 2026-12-26 and 2026-12-28":    fine,
		"Rp 1.500.000.000 - Rp 2.500.000.000":                            fine,
		"08-12-2026 10.30":                                               fine,
		"surat 800.1.11/1234/BKPSDM/2025":                                fine,
		"replaces sip-dokter@2, see term@14:5":                           fine,
		"https://peraturan.bpk.go.id/Details/161834/uu-no-27-tahun-2022": fine,
		"hash fc13c5e673e1dd3bafa588700def2cf80465ad2115d5a738271c51e32": fine,
		"Ordinance “café” – naïve № 5 · 日本":                              fine,
		"call (0651) 755-1234":                                           fine,
		"asked by 1171010101900001":                                      domain.RulePersonalData,
		"asked by NIK 1171 0101 0190 0001, on 2026-01-01":                domain.RulePersonalData,
		"(11.71.01.010190.0001)":                                         domain.RulePersonalData,
		"NIP 198001012006041001":                                         domain.RulePersonalData,
		"NIK1171-0101-0190-0001.":                                        domain.RulePersonalData,
		"١١٧١٠١٠١٠١٩٠٠٠٠١":                                               domain.RulePersonalData,
		"1171\u200b010101900001":                                         domain.RulePersonalData,
		"write to budi@example.org about it":                             domain.RulePersonalData,
		"write to budi @ example.org":                                    domain.RulePersonalData,
		"budi@localhost":                                                 domain.RulePersonalData,
		"hubungi 081234567890":                                           domain.RulePersonalData,
		"hubungi 0812-3456-7890, pagi":                                   domain.RulePersonalData,
		"hubungi 6281234567890.":                                         domain.RulePersonalData,
		"hubungi (+62 812 3456 7890)":                                    domain.RulePersonalData,
		"hubungi +65 9123 4567":                                          domain.RulePersonalData,
		"paspor passport:A1234567":                                       domain.RulePersonalData,
		"two\nlines":                                                     domain.RuleText,
		"a\ttab":                                                         domain.RuleText,
		"\x1b[2Jcleared":                                                 domain.RuleText,
		"two\u2028lines":                                                 domain.RuleText,
		"read \u202ebackwards":                                           domain.RuleText,
		"not text \xff":                                                  domain.RuleText,
		strings.Repeat("long ", 500):                                     domain.RuleText,
	} {
		err := domain.CheckClear("the reason", text)
		var refused *domain.Refusal
		var got domain.Rule
		if errors.As(err, &refused) {
			got = refused.Rule
		}
		if got != want || (err == nil) != (want == fine) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if err != nil && (!strings.HasPrefix(refused.Detail, "the reason ") || refused.Remedy == "" || strings.ContainsAny(err.Error(), "@\n\x1b")) {
			t.Errorf("%q is told as %q", text, err)
		}
	}
}
