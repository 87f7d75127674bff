package doctor

import (
	"context"
	"fmt"
)

// device looks at one that is not the CPU.
func (h Host) device(ctx context.Context, name string, needed, library bool) Check {
	c := Check{Name: name, State: Missing, Needed: needed}
	a, err := h.Probe(ctx, name)
	switch {
	case err != nil:
		c.Found, c.Advice = err.Error(), "mend or remove the driver, or use --device cpu"
		return c
	case a.Fault != "" && a.Name == "":
		c.Found = a.Fault // says what to install
		if !needed {
			c.Found += "; the CPU does all that hsnas needs"
		}
		return c
	}
	c.Details = a
	found := a.Name
	if a.Driver != "" {
		found += ", driver " + a.Driver
	}
	if a.Memory > 0 {
		found += ", " + gib(a.Memory)
	}
	switch {
	case a.Fault != "" && !library:
		c.State, c.Found, c.Advice = Warning, found+", untried for want of ONNX Runtime", "run: "+h.Fetch
	case a.Fault != "":
		c.Found = fmt.Sprintf("%s, but %s", found, a.Fault)
	default:
		c.State, c.Found = OK, found+", multiplied a matrix"
	}
	return c
}

func gib(bytes int64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30)) }
