package measured

import (
	"encoding/json"
	"fmt"

	"hsnas/internal/space"
)

// Write writes a table of architectures in the columns that Read takes: the
// hyperparameters without depths, set, score and test_score. Costs are left out.
func Write(path string, s *space.Space, rows []Row) error {
	var names []string
	for _, h := range s.Hyperparameters {
		if !h.IsDepth() {
			names = append(names, h.Name)
		}
	}
	records := [][]string{append(append([]string(nil), names...), SetColumn, ScoreColumn, TestScoreColumn)}
	for _, r := range rows {
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(r.Arch.String()), &members); err != nil {
			return fmt.Errorf("architecture %s: %w", r.Arch.ID(), err)
		}
		var record []string
		for _, name := range names {
			record = append(record, string(members[name]))
		}
		records = append(records, append(record, r.Set, number(r.Score), number(r.TestScore)))
	}
	return writeCSV(path, records)
}
