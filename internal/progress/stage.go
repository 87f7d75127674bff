package progress

import "fmt"

// staged is a Reporter that can name the stage that it reports of.
type staged interface{ ForStage(stage string) Reporter }

// ForStage returns the Reporter of one stage of a run: Events name the stage,
// others are returned as they are.
func ForStage(r Reporter, stage string) Reporter {
	if e, ok := r.(staged); ok {
		return e.ForStage(stage)
	}
	return r
}

// LogStage logs a line about a stage of a run: Events name it in a field, others
// before the text.
func LogStage(r Reporter, stage, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if e, ok := r.(staged); ok {
		e.ForStage(stage).Logf("%s", text)
		return
	}
	r.Logf("%-10s %s", stage, text)
}
