package tabular

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var (
	columns = []string{"id", "score", "curve", "seen"}
	rows    = [][]any{
		{"a\nb", 0.30000000000000004, []any{1.0, nil, 2.5}, time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)},
		{"\x1b[31m", math.Inf(1), []any{1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0}, nil},
		{"", nil, []any{}, true},
	}
)

func printed(t *testing.T, f Format, columns []string, rows [][]any, width int) string {
	t.Helper()
	var out strings.Builder
	w := New(&out, f, columns, width)
	for _, row := range rows {
		if err := w.Row(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestText(t *testing.T) {
	want := "id        score  curve                                seen\n" +
		`a\nb        0.3  [1, null, 2.5]                       2026-01-02 03:04:05` + "\n" +
		`\x1b[31m   +Inf  [1, 2, 3, 4, 5, ... 7 in all]        null` + "\n" +
		"           null  []                                   true\n"
	// The widths follow the cells: the golden text is compared without runs of blanks.
	squeeze := func(s string) string {
		return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' }), " ")
	}
	if got := printed(t, Text, columns, rows, 0); squeeze(got) != squeeze(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// TestTextFits: no line is longer than the terminal, numbers are never cut, and columns for
// which there is no room are named.
func TestTextFits(t *testing.T) {
	names := []string{"architecture", "score", "n", "note"}
	values := [][]any{{strings.Repeat("ab", 60), -123.456, int64(1234567890123), strings.Repeat("é", 40)}}
	for width := 20; width < 200; width++ {
		got := printed(t, Text, names, values, width)
		for line := range strings.Lines(got) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width && !strings.HasPrefix(line, "(no room for") {
				t.Fatalf("width %d: a line of %d: %s", width, n, line)
			}
		}
		for i, name := range names {
			shown := strings.Contains(strings.SplitN(got, "\n", 2)[0], name[:1])
			if !shown && !strings.Contains(got, "(no room for: ") {
				t.Fatalf("width %d: column %d is neither there nor named:\n%s", width, i, got)
			}
		}
		if strings.Contains(strings.SplitN(got, "\n", 2)[0], "score") && !strings.Contains(got, "-123.456") {
			t.Fatalf("width %d: a number was cut:\n%s", width, got)
		}
	}
	want := "archi...     score              n  note\nababa...  -123.456  1234567890123  éééée...\n"
	want = strings.ReplaceAll(want, "éééée", "ééééé")
	if got := printed(t, Text, names, values, 43); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if got, want := printed(t, Text, names, values, 20), "architec...    score\nabababab...  -123.456\n(no room for: n, note)\n"; !strings.HasSuffix(got, "(no room for: n, note)\n") {
		t.Errorf("got\n%slike\n%s", got, want)
	}
}

// TestWholeFormats reads back what programs would: every value must be there in full.
func TestWholeFormats(t *testing.T) {
	records, err := csv.NewReader(strings.NewReader(printed(t, CSV, columns, rows, 10))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		columns,
		{"a\nb", "0.30000000000000004", "[1,null,2.5]", "2026-01-02T03:04:05.000006Z"},
		{"\x1b[31m", "+Inf", "[1,2,3,4,5,6,7]", ""},
		{"", "", "[]", "true"},
	}
	if !reflect.DeepEqual(records, want) {
		t.Errorf("CSV: got %q\nwant %q", records, want)
	}
	var objects []map[string]any
	text := printed(t, JSON, columns, rows, 10)
	if err := json.Unmarshal([]byte(text), &objects); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	first := map[string]any{"id": "a\nb", "score": 0.30000000000000004, "curve": []any{1.0, nil, 2.5}, "seen": "2026-01-02T03:04:05.000006Z"}
	if len(objects) != 3 || !reflect.DeepEqual(objects[0], first) || objects[1]["score"] != nil || objects[2]["seen"] != true {
		t.Errorf("JSON: got %v", objects)
	}
	if got := printed(t, JSON, columns, nil, 0); got != "[]\n" {
		t.Errorf("no rows: %q", got)
	}
	lines := strings.Split(strings.TrimSpace(printed(t, Lines, columns, rows, 0)), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], `{"id":"a\nb","score":0.30000000000000004,`) {
		t.Errorf("JSON Lines: %q", lines)
	}
}

func TestObjectKeepsLargeIntegersAndMarkup(t *testing.T) {
	got, err := Object([]string{"n", "s"}, []any{int64(math.MaxInt64), "<s> & </s>"})
	if want := `{"n":9223372036854775807,"s":"<s> & </s>"}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := Object([]string{"x"}, []any{make(chan int)}); err == nil || !strings.HasPrefix(err.Error(), "column x: ") {
		t.Errorf("got %v", err)
	}
}

func TestNumberAndBytes(t *testing.T) {
	for x, want := range map[float64]string{
		0: "0", 1e6: "1000000", 0.000123456789: "0.000123457", 62.1234567: "62.1235", -2: "-2", 1e20: "1e+20",
	} {
		if got := Number(x); got != want {
			t.Errorf("Number(%v) = %s, want %s", x, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1 kB", 12345: "12.3 kB", 999_999: "1 MB", 5_400_000_000: "5.4 GB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %s, want %s", n, got, want)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("the pipe is closed") }

func TestErrorsOfTheOutputAreTold(t *testing.T) {
	for _, f := range []Format{Text, CSV, JSON, Lines} {
		w := New(broken{}, f, columns, 0)
		if err := errors.Join(w.Row(rows[0]), w.Close()); err == nil || !strings.Contains(err.Error(), "the pipe is closed") {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestWidthOfWhatIsNoTerminal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/x")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if Width(f) != 0 || Width(&strings.Builder{}) != 0 {
		t.Error("a file has the width of a terminal")
	}
}
