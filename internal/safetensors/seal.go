package safetensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"strings"

	"hsnas/internal/seal"
)

// sealKey is the name of the seal among the metadata: the SHA-256 of header and data, as
// they are with zeros in place of its digits.
const sealKey = "seal"

var noSeal = strings.Repeat("0", 2*sha256.Size)

// WriteSealed is Write with a checksum of the whole file among its metadata.
func WriteSealed(w io.Writer, metadata map[string]string, tensors []Tensor) error {
	all := map[string]string{sealKey: noSeal}
	maps.Copy(all, metadata)
	header, err := headerOf(all, tensors)
	if err != nil {
		return err
	}
	h := sha256.New()
	h.Write([]byte(header))
	for _, t := range tensors {
		h.Write(t.bytes())
	}
	all[sealKey] = hex.EncodeToString(h.Sum(nil))
	return Write(w, all, tensors)
}

// Seal reads the whole file and says whether it is as WriteSealed wrote it.
func (f *File) Seal() (seal.State, error) {
	found := f.strings[sealKey]
	if len(found) != len(noSeal) {
		return seal.None, nil
	}
	header := make([]byte, f.data-8)
	if _, err := io.ReadFull(io.NewSectionReader(f.r, 8, f.data-8), header); err != nil {
		return seal.None, fmt.Errorf("%s: %w", f.name, err)
	}
	member := []byte(`"` + sealKey + `":"` + found + `"`)
	if bytes.Count(header, member) != 1 {
		return seal.Broken, nil
	}
	h := sha256.New()
	h.Write(bytes.Replace(header, member, []byte(`"`+sealKey+`":"`+noSeal+`"`), 1))
	if _, err := io.CopyBuffer(h, io.NewSectionReader(f.r, f.data, f.size-f.data), make([]byte, 1<<18)); err != nil {
		return seal.None, fmt.Errorf("%s: %w", f.name, err)
	}
	if hex.EncodeToString(h.Sum(nil)) != found {
		return seal.Broken, nil
	}
	return seal.Whole, nil
}
