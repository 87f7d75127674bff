package progress

import "time"

// part is the open part of a computation, and when it was last told of.
type part struct {
	what          string // "" where none is open
	done, total   int    // total is 0 or less where it is not known
	started, told time.Time
	mentioned     bool
}

func startPart(what string, total int, now time.Time) part {
	return part{what: what, total: total, started: now, told: now}
}

// add counts n steps, and says whether every has passed since the part was told of.
func (p *part) add(n int, now time.Time, every time.Duration) (due bool) {
	if p.what == "" {
		return false
	}
	p.done += n
	if due = now.Sub(p.told) >= every; due {
		p.told, p.mentioned = now, true
	}
	return due
}

// end closes the part, and says whether its end is worth telling: that of one that
// was over before every had passed is not.
func (p *part) end() (was part, tell bool) {
	was, p.what = *p, ""
	return was, was.what != "" && was.mentioned
}
