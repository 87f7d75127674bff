package doctor

import (
	"fmt"
	"slices"
	"strings"

	"hsnas/internal/config"
)

// prefix begins every variable that is hsnas's own.
const prefix = "HSNAS_"

// environment names the variables that are set, without their values, and those that
// hsnas does not know: most likely misspelt.
func (h Host) environment(known []string) Check {
	c := Check{Name: "environment", State: OK}
	var set []string
	for _, line := range h.Environ {
		name, value, _ := strings.Cut(line, "=")
		switch {
		case slices.Contains(known, name) && value != "":
			set = append(set, name)
		case strings.HasPrefix(name, prefix) && !slices.Contains(known, name):
			c.State = Warning
			c.Advice = fmt.Sprintf("%s is set, which hsnas does not know%s", name, config.DidYouMean(name, known))
		}
	}
	slices.Sort(set)
	c.Found = "none of its variables set"
	if len(set) > 0 {
		c.Found = "set: " + strings.Join(set, ", ")
	}
	return c
}
