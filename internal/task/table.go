package task

import (
	"os"
	"strings"

	"hsnas/data"
	"hsnas/internal/config"
)

// TableShips says whether the task's table is one that ships, by name: a path
// holds a slash or ends in .csv.
func (t *Task) TableShips() bool {
	return t.Data.Table != "" && !strings.ContainsRune(t.Data.Table, '/') && !strings.HasSuffix(t.Data.Table, ".csv")
}

// Table returns the text of the task's table of measured scores, and the file for
// messages. A task loads without it.
func (t *Task) Table() (text []byte, file string, err error) {
	if t.TableShips() {
		if text, file, err = data.Table(t.Data.Table); err != nil {
			return nil, "", config.Errorf("", 0, "unknown table %q%s (or give the path of a .csv file)",
				t.Data.Table, config.DidYouMean(t.Data.Table, data.Tables()))
		}
		return text, file, nil
	}
	file = t.Path(t.Data.Table)
	if text, err = os.ReadFile(file); err != nil {
		return nil, "", config.Errorf("", 0, "cannot read the table of measured scores: %v", err)
	}
	return text, file, nil
}
