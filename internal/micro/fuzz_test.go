package micro

import (
	"bytes"
	"encoding/json"
	"testing"

	"hsnas/internal/seal"
)

// FuzzParseRecord reads results of trainings, behind their seals too.
func FuzzParseRecord(f *testing.F) {
	text, err := json.Marshal(record{"k", Trained{Valid: 1, Losses: []float64{1, 2}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte(`{"key":1e400}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, err := parseRecord(text); err == nil && !bytes.Contains(text, []byte(`"seal"`)) {
			t.Error("a result without a seal counts")
		}
		if bytes.HasPrefix(text, []byte("{")) {
			_, _ = parseRecord(seal.JSON(text))
		}
	})
}
