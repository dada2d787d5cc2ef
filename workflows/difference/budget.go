package difference

import (
	"fmt"

	"github.com/alur-id/alur/workflows"
)

// budget tells what a changed amount of time means: whether the citizen may wait longer
// for the office, or has less time themselves, or somebody is reminded sooner.
func (c *comparison) budget(p place, a, b workflows.Budget) {
	if a == b {
		return
	}
	before, after := budgetWords(a), budgetWords(b)
	if c.plain {
		c.tell(p, Changed, after)
		return
	}
	way := ""
	long, comparable := minutes(a)
	short, also := minutes(b)
	switch {
	case a == (workflows.Budget{}):
		way = "limited"
	case b == (workflows.Budget{}):
		way = "unlimited"
	case a.Working != b.Working || (!comparable || !also) && a.Unit != b.Unit:
		way = "otherwise"
	case !comparable || !also:
		way = direction(a.Amount, b.Amount)
	default:
		way = direction(long, short)
	}
	if p.own && (way == "longer" || way == "shorter") {
		way += " own"
	}
	said, ok := phrases[p.amount+" "+way]
	if !ok {
		said = phrases["time "+way]
	}
	c.tell(p, Changed, said.says(orNone(before), orNone(after)))
}

// budgetOf is a budget that may be left out.
func budgetOf(b *workflows.Budget) workflows.Budget {
	if b == nil {
		return workflows.Budget{}
	}
	return *b
}

func direction(before, after int) string {
	switch {
	case after > before:
		return "longer"
	case after < before:
		return "shorter"
	}
	return "otherwise"
}

// minutes is a budget in minutes; it is false for working days, which are as long as
// the office's calendar says.
func minutes(b workflows.Budget) (int, bool) {
	switch {
	case b.Unit == "minutes":
		return b.Amount, true
	case b.Unit == "hours":
		return 60 * b.Amount, true
	case b.Unit == "days" && !b.Working:
		return 24 * 60 * b.Amount, true
	}
	return 0, false
}

func budgetWords(b workflows.Budget) Text {
	if b.Unit == "" {
		return Text{}
	}
	working := ""
	if b.Working {
		working = " kerja"
	}
	unit, ok := map[string]string{"days": "hari", "hours": "jam", "minutes": "menit"}[b.Unit]
	if !ok {
		unit = b.Unit
	}
	return Text{fmt.Sprintf("%d %s%s", b.Amount, unit, working), b.String()}
}
