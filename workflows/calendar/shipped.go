package calendar

import (
	"bytes"
	_ "embed" // the tables
	"encoding/csv"
	"fmt"
	"strings"
	"sync"
	"time"
)

//go:embed data/holidays.csv
var holidays []byte

//go:embed data/ramadan.csv
var ramadan []byte

// Shipped is what every calendar is made upon: the working hours, the holidays, joint
// leave and election days from 2020 to 2026, and those of 2027 as they are computed. It
// is frozen, for recorded due times rest on it; what comes to be known is added as a
// decree. The slice is not to be changed.
func Shipped() []Decree { return shipped() }

var shipped = sync.OnceValue(func() []Decree {
	list := []Decree{hours(), ramadanDecree()}
	for _, row := range table(holidays) {
		number := row[5]
		if number == "" {
			number = "hari libur " + row[0][:4]
		}
		projected := row[4] != "confirmed"
		if projected {
			number = "perkiraan " + row[0][:4]
		}
		date := must(ParseDate(row[0]))
		if list[len(list)-1].Number != number {
			d := Decree{
				Number: number, Projected: projected, Source: row[6],
				Title: Text{"Hari libur nasional dan cuti bersama " + row[0][:4], "National holidays and joint leave " + row[0][:4]},
			}
			if !projected {
				d.Covers = []int{date.Year()}
			}
			list = append(list, d)
		}
		d := &list[len(list)-1]
		kind := map[string]Kind{"libur_nasional": Holiday, "cuti_bersama": JointLeave, "libur_pemilu": Election}[row[1]]
		d.Days = append(d.Days, DayRule{Date: date, Kind: kind, Name: Text{row[2], row[3]}})
	}
	return list
})

// hours are those of Perpres 21/2023 (12 April 2023), which took the place of Keppres
// 68/1995: from Monday to Friday 37 hours 30 minutes, from 07:30, with breaks of 60
// minutes and of 90 on Fridays; in Ramadan 32 hours 30 minutes, from 08:00, with breaks
// of 30 and of 60. That the earlier decree gave the same hours is assumed, and where
// the breaks lie outside of Ramadan; in it they are as reported of the regulation
// (khatulistiwaonline.com/selama-bulan-puasa-pns-kerja-sampai-jam-3-sore). An agency
// may set other hours: that is a decree of the tenant.
func hours() Decree {
	week := func(day, friday string) Week {
		var w Week
		for d := time.Monday; d <= time.Friday; d++ {
			w[d] = parseHours(day)
		}
		w[time.Friday] = parseHours(friday)
		return w
	}
	inRamadan := week("08:00-12:00 12:30-15:00", "08:00-11:30 12:30-15:30")
	return Decree{
		Number: "Perpres 21/2023", Title: Text{"Hari kerja dan jam kerja instansi pemerintah", "Working days and hours of government agencies"},
		Source: "Perpres 21/2023 art. 3 and 4; before it Keppres 68/1995",
		Rules: []Rules{{
			From: DateOf(2020, time.January, 1), Ramadan: &inRamadan,
			Week: week("07:30-12:00 13:00-16:00", "07:30-11:30 13:00-16:30"),
		}},
	}
}

func ramadanDecree() Decree {
	d := Decree{Number: "Ramadan 2020-2027", Title: Text{"Bulan Ramadan", "Ramadan"}, Source: "data/ramadan.csv"}
	for _, row := range table(ramadan) {
		d.Ramadan = append(d.Ramadan, Period{must(ParseDate(row[0])), must(ParseDate(row[1]))})
	}
	return d
}

// table is the rows of an embedded file, without its header.
func table(b []byte) [][]string {
	r := csv.NewReader(bytes.NewReader(b))
	r.Comment = '#'
	return must(r.ReadAll())[1:]
}

func parseHours(s string) Hours {
	var h Hours
	for _, x := range strings.Fields(s) {
		h = append(h, must(ParseInterval(x)))
	}
	return h
}

// must ends the program when what is embedded in it is broken.
func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("embedded table: %v", err))
	}
	return v
}
