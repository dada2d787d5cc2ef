package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alur-id/alur/workflows/calendar"
)

// calendarWords are the words of the printed calendar.
var calendarWords = map[string]struct {
	title, zone, version, known, beyond, days, hours, ramadan string
	months                                                    [12]string
	weekdays                                                  [7]string
	kinds                                                     map[calendar.Kind]string
}{
	"id": {
		title: "Kalender kerja", zone: "zona waktu", version: "versi", known: "hari libur ditetapkan sampai",
		beyond: "PERKIRAAN: hari libur sesudah %s belum ditetapkan", days: "hari kerja", hours: "Jam kerja", ramadan: "Ramadan",
		months:   [12]string{"Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"},
		weekdays: [7]string{"Min", "Sen", "Sel", "Rab", "Kam", "Jum", "Sab"},
		kinds: map[calendar.Kind]string{
			calendar.Holiday: "libur nasional", calendar.JointLeave: "cuti bersama", calendar.Election: "libur pemilu",
			calendar.Regional: "libur daerah", calendar.Working: "hari kerja", calendar.OwnHours: "jam kerja khusus",
		},
	},
	"en": {
		title: "Working calendar", zone: "time zone", version: "version", known: "holidays are decreed until",
		beyond: "PROVISIONAL: holidays after %s are not decreed yet", days: "working days", hours: "Working hours", ramadan: "Ramadan",
		months:   [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		weekdays: [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
		kinds: map[calendar.Kind]string{
			calendar.Holiday: "national holiday", calendar.JointLeave: "joint leave", calendar.Election: "election day",
			calendar.Regional: "regional holiday", calendar.Working: "working day", calendar.OwnHours: "hours of its own",
		},
	},
}

// printYear prints a year for people: a grid for each month, in which * is a day
// without work and ~ one that a decree made a working day or gave hours of its own, and
// below it what these days are.
func printYear(out io.Writer, y yearJSON, lang string) error {
	w := calendarWords[lang]
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d%s", w.title, y.Year, strings.TrimRight(" "+y.Tenant, " "))
	if len(y.Months) == 12 {
		fmt.Fprintf(&b, ": %d %s", y.WorkingDays, w.days)
	}
	b.WriteString("\n")
	fmt.Fprintf(&b, "%s %s, %s %s, %s %s\n", w.zone, y.Zone, w.version, y.Version, w.known, y.Known.To)
	if to := y.Known.To; y.Year > to.Year() {
		fmt.Fprintf(&b, w.beyond+"\n", to)
	}
	for _, ramadan := range []bool{false, true} {
		if hours := usualHours(y, lang, ramadan); len(hours) > 0 {
			name := w.hours
			if ramadan {
				name += " (" + w.ramadan + ")"
			}
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(hours, "; "))
		}
	}
	for _, m := range y.Months {
		fmt.Fprintf(&b, "\n%s: %d %s\n", w.months[m.Month-1], m.WorkingDays, w.days)
		week := append(slices.Clone(w.weekdays[1:]), w.weekdays[0])
		b.WriteString(strings.Join(week, "  ") + "\n")
		printGrid(&b, m)
		printNames(&b, m, lang)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// printGrid prints the days of a month under their weekdays, Monday first.
func printGrid(b *strings.Builder, m monthJSON) {
	line := ""
	for i, d := range m.Days {
		column := int(d.Date.Weekday()+6) % 7
		if i == 0 {
			line = strings.Repeat(" ", 5*column)
		}
		mark := " "
		switch {
		case d.Kind == "":
		case len(d.Hours) == 0:
			mark = "*"
		default:
			mark = "~"
		}
		line += fmt.Sprintf("%2d%s  ", d.Date.Time().Day(), mark)
		if column == 6 || i == len(m.Days)-1 {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = ""
		}
	}
}

// printNames says what the marked days of a month are, and when Ramadan is.
func printNames(b *strings.Builder, m monthJSON, lang string) {
	w := calendarWords[lang]
	var fast []int
	for _, d := range m.Days {
		day := d.Date.Time().Day()
		if d.Ramadan {
			fast = append(fast, day)
		}
		if d.Kind == "" {
			continue
		}
		hours := ""
		if len(d.Hours) > 0 {
			hours = ", " + strings.Join(d.Hours, ", ")
		}
		fmt.Fprintf(b, "  %2d %s  %s (%s%s; %s)\n", day, w.weekdays[d.Date.Weekday()], printable(d.Name.In(lang)), w.kinds[d.Kind], hours, printable(d.Decree))
	}
	if len(fast) > 0 {
		fmt.Fprintf(b, "  %d-%d  %s\n", fast[0], fast[len(fast)-1], w.ramadan)
	}
}

// usualHours are the hours of the weekdays that no decree made other than they are, by
// neighbours that are alike: "Mon-Thu 07:30-12:00, 13:00-16:00". Where they changed
// within the year, both are told.
func usualHours(y yearJSON, lang string, ramadan bool) []string {
	var byDay [7][]string
	for _, m := range y.Months {
		for _, d := range m.Days {
			if day := d.Date.Weekday(); d.Kind == "" && d.Ramadan == ramadan && len(d.Hours) > 0 && !slices.Contains(byDay[day], d.info.Hours.String()) {
				byDay[day] = append(byDay[day], d.info.Hours.String())
			}
		}
	}
	names := calendarWords[lang].weekdays
	var out []string
	for i := 1; i <= 7; {
		first := time.Weekday(i % 7)
		last := i
		for last < 7 && slices.Equal(byDay[(last+1)%7], byDay[first]) {
			last++
		}
		if len(byDay[first]) > 0 {
			name := names[first]
			if last > i {
				name += "-" + names[last%7]
			}
			out = append(out, name+" "+strings.Join(byDay[first], " / "))
		}
		i = last + 1
	}
	return out
}
