package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// slurm looks for a batch system, and for its partitions where it answers soon.
func (h Host) slurm(ctx context.Context) Check {
	c := Check{Name: "slurm", State: Missing}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	version, err := h.Command(ctx, "sbatch", "--version")
	switch {
	case errors.Is(err, ErrNotInstalled):
		c.Found = "no sbatch; only needed to spread a run over a cluster"
		return c
	case err != nil:
		c.State, c.Found = Warning, fmt.Sprintf("sbatch does not work: %v", err)
		c.Advice = "see what sbatch --version says; only needed to spread a run over a cluster"
		return c
	}
	c.Found = strings.TrimSpace(version)
	if _, err := h.Command(ctx, "squeue", "--version"); err != nil {
		c.State, c.Advice = Warning, "install Slurm's client programs whole"
		c.Found += fmt.Sprintf(", but no squeue (%v)", err)
		return c
	}
	list, err := h.Command(ctx, "sinfo", "--noheader", "--format=%P %a %D")
	if err != nil {
		c.State, c.Advice = Warning, "see what sinfo says: the controller may be down"
		c.Found += fmt.Sprintf(", which does not tell its partitions (%v)", err)
		return c
	}
	c.State = OK
	names := []string{}
	for line := range strings.Lines(list) {
		if f := strings.Fields(line); len(f) == 3 {
			names = append(names, fmt.Sprintf("%s (%s, %s nodes)", f[0], f[1], f[2]))
		}
	}
	c.Details = names
	c.Found += fmt.Sprintf(", %d partitions: %s", len(names), few(names))
	return c
}
