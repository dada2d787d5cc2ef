package simulation

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alur-id/alur/domain"
)

// CheckChange refuses what is not of the form that [Parameters.Officers] takes.
func CheckChange(c string) error {
	_, text, ok := strings.Cut(c, "=")
	if _, err := strconv.Atoi(text); !ok || err != nil {
		return fmt.Errorf("%q: want a role and a number of officers, such as front-office=3, or a change, such as front-office=+1", c)
	}
	return nil
}

// Officers is parameters with other numbers of officers: "role=3", "role=+1", "role=-1".
// The role may also be the name of a pool. They are noted under the source, if any.
func (p *Parameters) Officers(changes []string, source Source) (*Parameters, error) {
	out := *p
	out.Pools, out.Notes = slices.Clone(p.Pools), slices.Clone(p.Notes)
	for _, c := range changes {
		if err := CheckChange(c); err != nil {
			return nil, err
		}
		role, text, _ := strings.Cut(c, "=")
		n, _ := strconv.Atoi(text)
		at := slices.IndexFunc(out.Pools, func(x Pool) bool {
			return x.Name == role || slices.ContainsFunc(x.Roles, func(r domain.RoleID) bool { return string(r) == role })
		})
		if at < 0 {
			names := make([]string, len(out.Pools))
			for i := range out.Pools {
				names[i] = out.Pools[i].Name
			}
			return nil, fmt.Errorf("%q: %q is none of %s", c, role, strings.Join(names, ", "))
		}
		pool := &out.Pools[at]
		if text[0] == '+' || text[0] == '-' {
			if pool.Unlimited {
				return nil, fmt.Errorf("%q: nobody waits for officers here, so that more or fewer make no difference; fit with --basis service", c)
			}
			n += pool.Officers
		}
		if n < 1 || n > maxOfficers {
			return nil, fmt.Errorf("%q: that makes %d officers; want 1 to %d", c, n, maxOfficers)
		}
		pool.Officers, pool.Unlimited = n, false
		if source != "" {
			what := "officers " + pool.Name
			out.Notes = slices.DeleteFunc(out.Notes, func(x Note) bool { return x.What == what })
			out.note(source, what, strconv.Itoa(n), 0)
		}
	}
	out.sort()
	return &out, nil
}
