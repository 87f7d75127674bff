package nn

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"hsnas/internal/seal"
)

// FuzzOpen reads descriptions of models, behind their seals too: a model whose files are
// not there is never opened.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"format":2,"task":"t","files":[{"name":"encoder.onnx","sha256":"0"}]}`))
	f.Add([]byte(`{"format":2,"decoder_layers":null,"cost":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		dir := t.TempDir()
		if bytes.HasPrefix(text, []byte("{")) {
			text = seal.JSON(text)
		}
		if err := os.WriteFile(filepath.Join(dir, ModelFile), text, 0o666); err != nil {
			t.Fatal(err)
		}
		if m, err := Open(dir); err == nil {
			t.Errorf("opened %+v", m)
		}
	})
}
