package tabular

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Object returns one JSON object with the columns as keys, in their order.
func Object(columns []string, values []any) ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, name := range columns {
		if i > 0 {
			out.WriteByte(',')
		}
		for _, part := range []any{name, JSONValue(values[i])} {
			text, err := marshal(part)
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", name, err)
			}
			out.Write(text)
			out.WriteByte(':')
		}
		out.Truncate(out.Len() - 1)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// marshal is json.Marshal that leaves <, > and & as they are.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// JSONValue returns v with null where JSON has no number.
func JSONValue(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = JSONValue(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = JSONValue(v[k])
		}
		return out
	}
	return v
}

// whole is a value as text of full precision; null is empty.
func whole(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case []any, map[string]any:
		text, err := marshal(JSONValue(v))
		if err != nil {
			return fmt.Sprint(v)
		}
		return string(text)
	}
	return fmt.Sprint(v)
}

// maxElements is how many elements of a list a table shows before it says how many there are.
const maxElements = 6

// Cell is a value as a table shows it: numbers of six digits, lists cut short, what would
// move the cursor escaped.
func Cell(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case float64:
		return Number(v)
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05")
	case []any:
		if len(v) > maxElements {
			return fmt.Sprintf("[%s, ... %d in all]", elements(v[:maxElements-1]), len(v))
		}
		return "[" + elements(v) + "]"
	case string:
		return Printable(v)
	}
	return Printable(whole(v))
}

func elements(list []any) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = Cell(v)
	}
	return strings.Join(texts, ", ")
}

// Number writes six significant digits, and integers in full.
func Number(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}

// Printable escapes what is no text: an artifact must not steer the terminal that shows it.
func Printable(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return text
	}
	var out strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			out.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		out.WriteString(quoted[1 : len(quoted)-1])
	}
	return out.String()
}

// Bytes is a size for people: powers of 1000, three digits.
func Bytes(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	x, unit := float64(n)/1000, 0
	for x >= 999.5 && unit < 3 {
		x, unit = x/1000, unit+1
	}
	return strconv.FormatFloat(x, 'g', 3, 64) + " " + []string{"kB", "MB", "GB", "TB"}[unit]
}
