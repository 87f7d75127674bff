// Package published reads the figures that others published and that hsnas is
// held against: the trained-from-scratch BLEU and inherited-weight BLEU of the
// authors of LLM performance predictors (github.com/UBC-NLP/llmas), and the
// latency datasets and models of HAT
// (github.com/mit-han-lab/hardware-aware-transformers).
//
// Nothing of it is committed here. The files lie in the folder that HSNAS_DATA
// names, or in the cache folder that "hsnas data" fills; each is checked against
// its SHA-256 at the pinned commit before a line of it is parsed.
package published

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hsnas/internal/config"
)

// Variable is the environment variable that names the data folder.
const Variable = "HSNAS_DATA"

// CacheDir returns the folder that "hsnas data" fills: hsnas/data in the user's
// cache folder.
func CacheDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache folder for the published figures: %w", err)
	}
	return filepath.Join(cache, "hsnas", "data"), nil
}

// Root returns the folder that holds llmas/ and hat/: HSNAS_DATA where it is
// set, else the cache folder. A folder that is not there is a *config.Error
// that says what to run.
func Root() (string, error) {
	if dir := os.Getenv(Variable); dir != "" {
		if !isRoot(dir) {
			return "", config.Errorf("", 0, "%s=%s: no folder llmas or hat in it; expected the folder of the published figures", Variable, dir)
		}
		return dir, nil
	}
	dir, err := CacheDir()
	if err != nil {
		return "", err
	}
	if !isRoot(dir) {
		return "", config.Errorf("", 0, "no published figures in %s: run \"hsnas data\", or set %s to a folder that has them", dir, Variable)
	}
	return dir, nil
}

// isRoot says whether dir holds at least one of the two sources.
func isRoot(dir string) bool {
	for _, source := range []string{"llmas", "hat"} {
		if info, err := os.Stat(filepath.Join(dir, source)); err == nil && info.IsDir() {
			return true
		}
	}
	return false
}

// read returns the bytes of one of Files, checked against its SHA-256.
func read(root, path string) ([]byte, error) {
	file, ok := lookup(path)
	if !ok {
		return nil, fmt.Errorf("%s: not one of the published files", path)
	}
	name := filepath.Join(root, filepath.FromSlash(path))
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: no such file: run \"hsnas data\"", name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading published figures: %w", err)
	}
	return text, verify(name, text, file.SHA256)
}

// verify compares text's SHA-256 with the one of the pinned commit.
func verify(name string, text []byte, want string) error {
	sum := sha256.Sum256(text)
	if got := hex.EncodeToString(sum[:]); got != want {
		return fmt.Errorf("%s: SHA-256 is %s, expected %s: run \"hsnas data\" again", name, got, want)
	}
	return nil
}
