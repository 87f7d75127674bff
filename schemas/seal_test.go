package schemas

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func artifactBytes(tb testing.TB) []byte {
	tb.Helper()
	rows := []Student{{Student: "ridge", LossCurve: []float64{3, 2, 1}}, {Student: "mlp"}}
	data, err := students.encode(rows, provenance)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// TestDamageIsRefused changes, cuts and extends an artifact in every place: no
// change may reach the Parquet reader, which would end the process.
func TestDamageIsRefused(t *testing.T) {
	whole := artifactBytes(t)
	r := rand.New(rand.NewPCG(7, 7))
	refuse := func(what string, at int, data []byte) {
		t.Helper()
		_, err := students.decode("x.parquet", bytes.NewReader(data))
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s at %d: %v", what, at, err)
		}
	}
	for at := range whole {
		data := bytes.Clone(whole)
		data[at] ^= byte(1 + r.IntN(255))
		refuse("a changed byte", at, data)
		refuse("a cut", at, whole[:at])
		refuse("an insertion", at, append(bytes.Clone(whole[:at]), append([]byte{0}, whole[at:]...)...))
	}
	refuse("an added byte", len(whole), append(bytes.Clone(whole), 0))
}

func TestReadErrors(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole := artifactBytes(t)
	at, _ := footer(whole)
	unsealed := append(bytes.Clone(whole[:at-sealSize]), whole[at:]...)
	damaged := bytes.Clone(whole)
	damaged[20] ^= 1
	other := table[Student]{name: "students", version: 2, columns: students.columns}
	newer, err := other.encode(nil, provenance)
	if err != nil {
		t.Fatal(err)
	}
	fewer := table[Student]{name: "students", version: 1, columns: students.columns[:3]}
	short, err := fewer.encode(nil, provenance)
	if err != nil {
		t.Fatal(err)
	}
	swapped := table[Student]{name: "students", version: 1, columns: students.columns[3:]}
	shifted, err := swapped.encode(nil, provenance)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ path, want string }{
		{filepath.Join(dir, "none"), "open PATH: no such file or directory"},
		{dir, "cannot read PATH: read PATH: is a directory"},
		{file("empty", nil), "PATH: this is no Parquet file"},
		{file("text", []byte("id,score\n")), "PATH: this is no Parquet file"},
		{file("unsealed", unsealed), "PATH: it is damaged or was not written by hsnas; bring your own tables in as CSV"},
		{file("damaged", damaged), "PATH: it is damaged; remove it and run the stage that writes it again"},
		{file("newer", newer), `PATH: it holds "students/2", expected "students/1"; run the stage that writes it again`},
		{file("short", short), "PATH: it has 3 columns, expected 10; run the stage that writes it again"},
		{file("shifted", shifted), `PATH: column 0 is labels int32, not one of "students/1"; run the stage that writes it again`},
	}
	for _, test := range tests {
		_, err := ReadStudents(test.path)
		if want := strings.ReplaceAll(test.want, "PATH", test.path); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

// TestOpenRefusesWhatReadersRefuse: looking at a file is as safe as reading it.
func TestOpenRefusesWhatReadersRefuse(t *testing.T) {
	whole := artifactBytes(t)
	path := filepath.Join(t.TempDir(), "x.parquet")
	try := func(what string, at int, data []byte) {
		t.Helper()
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		_, want := students.decode(path, bytes.NewReader(data))
		v, err := Open(path)
		if err == nil {
			v.Close()
		}
		if want == nil || err == nil || err.Error() != want.Error() {
			t.Errorf("%s at %d: got %v, the reader says %v", what, at, err, want)
		}
	}
	for at := 0; at < len(whole); at += 7 {
		data := bytes.Clone(whole)
		data[at] ^= 0x55
		try("a changed byte", at, data)
		try("a cut", at, whole[:at])
		try("an added byte", at, append(bytes.Clone(whole[:at]), append([]byte{'P'}, whole[at:]...)...))
	}
	try("a text", 0, []byte("id,score\n1,2\n"))
}

// FuzzRead feeds the reader what is not an artifact, with and without a seal's
// first bytes.
func FuzzRead(f *testing.F) {
	whole := artifactBytes(f)
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add([]byte("PAR1PAR1"))
	f.Add([]byte("PAR1" + sealMagic + strings.Repeat("x", 32) + "\x00\x00\x00\x00PAR1"))
	f.Add([]byte("\xff\xff\xff\xffPAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := students.decode("x.parquet", bytes.NewReader(data))
		var e *Error
		if err == nil && !bytes.Equal(data, whole) {
			t.Error("foreign bytes were read")
		}
		if _, looked := checkSeal("x.parquet", bytes.NewReader(data), int64(len(data))); (looked == nil) != (err == nil) {
			t.Errorf("the reader says %v, looking says %v", err, looked)
		}
		if err != nil && !errors.As(err, &e) {
			t.Errorf("got %v", err)
		}
	})
}

func BenchmarkWriteCandidates(b *testing.B) {
	rows := make([]Candidate, 50_000)
	for i := range rows {
		rows[i] = Candidate{Search: "hs-nas", ID: "0123456789abcdef", Architecture: strings.Repeat("[1024,2048]", 20), Score: float64(i)}
	}
	for b.Loop() {
		if _, err := candidates.encode(rows, provenance); err != nil {
			b.Fatal(err)
		}
	}
}
