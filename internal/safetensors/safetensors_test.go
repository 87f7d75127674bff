package safetensors

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"
)

// file is a safetensors file with any header and data.
func file(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

func parse(b []byte) (*File, error) { return Parse("w.safetensors", bytes.NewReader(b), int64(len(b))) }

func TestWriteReadsBack(t *testing.T) {
	var buffer bytes.Buffer
	matrix := []float32{1, 2, 3, 4, 5, 6}
	err := Write(&buffer, map[string]string{"format": "pt"}, []Tensor{{"m", []int64{3, 2}, matrix}, {"v", []int64{2}, []float32{-1, 0.5}}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := parse(buffer.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Names(); !slices.Equal(got, []string{"m", "v"}) {
		t.Errorf("names %v", got)
	}
	for _, c := range []struct {
		name              string
		first, rows, cols int64
		want              []float32
	}{
		{"m", 0, 3, 2, matrix},
		{"m", 1, 2, 1, []float32{3, 5}},
		{"m", 3, 0, 2, nil},
		{"v", 0, 2, 1, []float32{-1, 0.5}},
	} {
		got, err := f.Rows(c.name, c.first, c.rows, c.cols)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s rows %d+%d, %d columns: %v, %v", c.name, c.first, c.rows, c.cols, got, err)
		}
	}
	if _, err := f.Rows("m", 2, 2, 2); err == nil || err.Error() != `w.safetensors: tensor "m" of shape [3 2] has no rows 2 to 4 of 2 columns` {
		t.Error(err)
	}
}

func TestHalfPrecision(t *testing.T) {
	// Bit patterns of IEEE 754 binary16 and of bfloat16 with their values.
	halves := map[uint16]float32{0x3c00: 1, 0xc000: -2, 0x7bff: 65504, 0x0001: 0x1p-24, 0x03ff: 1023 * 0x1p-24, 0x0400: 0x1p-14, 0x3555: 0.333251953125, 0x7c00: float32(math.Inf(1))}
	for bits, want := range halves {
		b := binary.LittleEndian.AppendUint16(nil, bits)
		f, err := parse(file(`{"x":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}`, b))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := f.Rows("x", 0, 1, 1); err != nil || got[0] != want {
			t.Errorf("%04x: %v, %v; want %v", bits, got, err, want)
		}
	}
	f, err := parse(file(`{"x":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}`, []byte{0x80, 0x3f, 0x20, 0xc1}))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := f.Rows("x", 0, 2, 1); !slices.Equal(got, []float32{1, -10}) {
		t.Errorf("bfloat16 %v", got)
	}
}

func TestDamage(t *testing.T) {
	one := `{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
	whole := file(one, make([]byte, 4))
	huge := slices.Clone(whole)
	binary.LittleEndian.PutUint64(huge, 1<<60)
	for _, c := range []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "0 bytes, expected at least 8"},
		{"huge header", huge, "header of 1152921504606846976 bytes, expected at most 16777216"},
		{"header cut", whole[:20], "header of 54 bytes, the file ends after 12"},
		{"data cut", whole[:len(whole)-1], `tensor "x": bytes 0 to 4, the data section has 3`},
		{"no JSON", file("nonsense", nil), "the header is not a JSON object"},
		{"null", file("null", nil), "the header is not a JSON object"},
		{"no offsets", file(`{"x":{"dtype":"F32","shape":[1]}}`, nil), `tensor "x": expected dtype, shape and two data_offsets`},
		{"shape", file(`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, make([]byte, 4)), `tensor "x": shape [2] of F32 needs 8 bytes, found 4`},
		{"negative", file(`{"x":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, make([]byte, 4)), `tensor "x": shape [-1] makes no sense`},
		{"overflow", file(`{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`, make([]byte, 4)), `tensor "x": shape [4294967296 4294967296] makes no sense`},
		{"overlap", file(`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, make([]byte, 8)), `tensors "x" and "y" overlap`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(c.b)
			if want := "w.safetensors: damaged safetensors file: " + c.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestRowsRefuses(t *testing.T) {
	f, err := parse(file(`{"x":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}`, make([]byte, 8)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"x": `w.safetensors: tensor "x": dtype I64, expected F32, F16 or BF16`,
		"y": `w.safetensors: no tensor "y"`,
	} {
		if _, err := f.Rows(name, 0, 1, 1); fmt.Sprint(err) != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	var buffer bytes.Buffer
	if err := Write(&buffer, nil, []Tensor{{"m", []int64{2, 2}, []float32{1, 2, 3, 4}}}); err != nil {
		f.Fatal(err)
	}
	f.Add(buffer.Bytes())
	f.Add(file(`{"x":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}`, []byte{0, 1}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := parse(b)
		if err != nil {
			return
		}
		for _, name := range file.Names() {
			info, _ := file.Tensor(name)
			if len(info.Shape) == 2 {
				_, _ = file.Rows(name, 0, info.Shape[0], info.Shape[1])
			}
		}
	})
}
