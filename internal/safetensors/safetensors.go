// Package safetensors reads and writes the safetensors format: an 8-byte little-endian
// header length, a JSON header that gives each tensor's type, shape and byte range, then the
// bytes. The reader is strict, because weights come from outside: the header is bounded,
// every range must fit its shape, lie in the file and overlap no other.
package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"hsnas/internal/config"
)

// maxHeader bounds the JSON header. A tensor takes about 100 bytes there, a supernet has
// about 200 tensors.
const maxHeader = 16 << 20

// maxRank bounds the dimensions of a tensor.
const maxRank = 8

// Info describes one tensor of a file.
type Info struct {
	DType string  // F32, F16, BF16; others are listed but cannot be read
	Shape []int64 // row-major
	begin int64   // in the data section
	end   int64
}

// Bytes is the size of the tensor's data.
func (i Info) Bytes() int64 { return i.end - i.begin }

// File is an opened safetensors file. Tensors are read one by one; reads may come from
// several goroutines.
type File struct {
	name    string
	r       io.ReaderAt
	data    int64 // where the data section starts
	size    int64 // of the file
	tensors map[string]Info
	strings map[string]string // the file's metadata
	closer  io.Closer
}

// Open opens the file at path and checks its header.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = config.Errorf(path, 0, "not a file; expected a safetensors file")
	}
	var file *File
	if err == nil {
		file, err = Parse(path, f, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	file.closer = f
	return file, nil
}

// Close closes the file that Open opened.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Parse checks the header of size bytes of r; name is what errors call it. Damage is a
// *config.Error: the file is the user's.
func Parse(name string, r io.ReaderAt, size int64) (*File, error) {
	damaged := func(format string, a ...any) (*File, error) {
		return nil, config.Errorf(name, 0, "damaged safetensors file: %s", fmt.Sprintf(format, a...))
	}
	var length [8]byte
	if size < int64(len(length)) {
		return damaged("%d bytes, expected at least 8", size)
	}
	if _, err := r.ReadAt(length[:], 0); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader {
		return damaged("header of %d bytes, expected at most %d", n, maxHeader)
	}
	if int64(n) > size-8 {
		return damaged("header of %d bytes, the file ends after %d", n, size-8)
	}
	header := make([]byte, n)
	if _, err := r.ReadAt(header, 8); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f := &File{name: name, r: r, data: 8 + int64(n), size: size}
	if err := f.readHeader(header, size-f.data); err != nil {
		return damaged("%s", err)
	}
	return f, nil
}

func (f *File) readHeader(header []byte, size int64) error {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(header, &entries); err != nil || entries == nil {
		return errors.New("the header is not a JSON object")
	}
	f.tensors = make(map[string]Info, len(entries))
	for name, text := range entries {
		if name == "__metadata__" {
			if err := json.Unmarshal(text, &f.strings); err != nil {
				return errors.New("the metadata are not text by name")
			}
			continue
		}
		t, err := readInfo(text, size)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		f.tensors[name] = t
	}
	return f.checkOverlaps()
}

func readInfo(text []byte, size int64) (Info, error) {
	var e struct {
		DType   string  `json:"dtype"`
		Shape   []int64 `json:"shape"`
		Offsets []int64 `json:"data_offsets"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil || len(e.Offsets) != 2 || e.Shape == nil {
		return Info{}, errors.New("expected dtype, shape and two data_offsets")
	}
	t := Info{DType: e.DType, Shape: e.Shape, begin: e.Offsets[0], end: e.Offsets[1]}
	if t.begin < 0 || t.begin > t.end || t.end > size {
		return Info{}, fmt.Errorf("bytes %d to %d, the data section has %d", t.begin, t.end, size)
	}
	n, err := elements(t.Shape)
	if err != nil {
		return Info{}, err
	}
	if w := width(t.DType); w > 0 && n*w != t.end-t.begin {
		return Info{}, fmt.Errorf("shape %v of %s needs %d bytes, found %d", t.Shape, t.DType, n*w, t.end-t.begin)
	}
	return t, nil
}

func elements(shape []int64) (int64, error) {
	if len(shape) > maxRank {
		return 0, fmt.Errorf("%d dimensions, expected at most %d", len(shape), maxRank)
	}
	n := int64(1)
	for _, d := range shape {
		if d < 0 || d > 0 && n > (1<<48)/d {
			return 0, fmt.Errorf("shape %v makes no sense", shape)
		}
		n *= d
	}
	return n, nil
}

func (f *File) checkOverlaps() error {
	names := f.Names()
	slices.SortStableFunc(names, func(a, b string) int {
		x, y := f.tensors[a], f.tensors[b]
		return cmp.Or(cmp.Compare(x.begin, y.begin), cmp.Compare(x.end, y.end))
	})
	for i := 1; i < len(names); i++ {
		if f.tensors[names[i]].begin < f.tensors[names[i-1]].end {
			return fmt.Errorf("tensors %q and %q overlap", names[i-1], names[i])
		}
	}
	return nil
}

// Name is what errors call the file.
func (f *File) Name() string { return f.name }

// Metadata is what the file says of itself, by name; nil where it says nothing.
func (f *File) Metadata() map[string]string { return f.strings }

// Names are the tensors' names in alphabetical order.
func (f *File) Names() []string {
	names := make([]string, 0, len(f.tensors))
	for name := range f.tensors {
		names = append(names, name)
	}
	slices.SortFunc(names, strings.Compare)
	return names
}

// Tensor describes the named tensor; false where the file has none of the name.
func (f *File) Tensor(name string) (Info, bool) {
	t, ok := f.tensors[name]
	return t, ok
}
