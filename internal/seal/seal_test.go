package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func hash(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

func TestJSON(t *testing.T) {
	for _, c := range []struct{ object, want string }{
		{`{"a":1}`, `{"seal":"` + hash(`"a":1}`) + `","a":1}`},
		{"{\"a\":1}\n", `{"seal":"` + hash(`"a":1}`) + "\",\"a\":1}\n"},
		{"{\n  \"a\": 1\n}\n", "{\n  \"seal\": \"" + hash("\n  \"a\": 1\n}") + "\",\n  \"a\": 1\n}\n"},
		{`{}`, `{"seal":"` + hash(`}`) + `"}`},
	} {
		sealed := JSON([]byte(c.object))
		if string(sealed) != c.want || !json.Valid(sealed) {
			t.Errorf("%q sealed:\n got  %s\n want %s", c.object, sealed, c.want)
		}
		opened, state := OpenJSON(sealed)
		var was, is any
		if json.Unmarshal([]byte(c.object), &was) != nil || json.Unmarshal(opened, &is) != nil || fmt.Sprint(was) != fmt.Sprint(is) || state != Whole {
			t.Errorf("%q opened: %s, %v", c.object, opened, state)
		}
	}
	if object, state := OpenJSON([]byte(`{"a":1}`)); state != None || string(object) != `{"a":1}` {
		t.Errorf("without a seal: %s, %v", object, state)
	}
	if _, err := Required([]byte(`{"a":1}`)); err != ErrNone {
		t.Errorf("without a seal: %v", err)
	}
}

// TestLostMiddle: what is left of a sealed line that lost a block is never taken for a
// line that had no seal, unless it names an unknown member or is no JSON.
func TestLostMiddle(t *testing.T) {
	line := JSON([]byte(`{"a":"one","b":"two"}`))
	for from := 1; from < len(line); from++ {
		for to := from + 1; to < len(line); to++ {
			lost := append(bytes.Clone(line[:from]), line[to:]...)
			object, state := OpenJSON(lost)
			var got struct{ A, B string }
			d := json.NewDecoder(bytes.NewReader(object))
			d.DisallowUnknownFields()
			if state != Broken && d.Decode(&got) == nil && got.A != "" && (got.A != "one" || got.B != "two" && got.B != "") {
				t.Errorf("%s without bytes %d to %d: %s", line, from, to, lost)
			}
		}
	}
}

// TestEveryByteCounts: a sealed text with one byte changed is never Whole with another
// content.
func TestEveryByteCounts(t *testing.T) {
	object := []byte(`{"a":[1,2,3],"b":"x"}` + "\n")
	sealed := JSON(object)
	whole, _ := OpenJSON(sealed)
	document := []byte("a: 1\nb: [2, 3]\n")
	sealedYAML := YAML(document)
	for _, bit := range []byte{1, 2, 4, 8, 16, 32, 64, 128} {
		for i := range sealed {
			changed := bytes.Clone(sealed)
			changed[i] ^= bit
			if got, state := OpenJSON(changed); state == Whole && !bytes.Equal(bytes.TrimSpace(got), bytes.TrimSpace(whole)) {
				t.Errorf("byte %d ^ %d: whole, %s", i, bit, got)
			}
		}
		for i := range sealedYAML {
			changed := bytes.Clone(sealedYAML)
			changed[i] ^= bit
			if CheckYAML(changed) == Whole {
				t.Errorf("YAML, byte %d ^ %d: whole", i, bit)
			}
		}
	}
	for n := range len(sealedYAML) {
		if CheckYAML(sealedYAML[:n]) == Whole {
			t.Errorf("the first %d bytes of YAML are whole", n)
		}
	}
	if CheckYAML(sealedYAML) != Whole || CheckYAML(document) != None || CheckYAML(nil) != None {
		t.Error("the seal of a YAML document is not told from none")
	}
	if want := "a: 1\nb: [2, 3]\n# seal: " + hash(string(document)) + "\n"; string(sealedYAML) != want {
		t.Errorf("sealed YAML %q, want %q", sealedYAML, want)
	}
}

func FuzzOpenJSON(f *testing.F) {
	f.Add([]byte(`{"seal":"` + strings.Repeat("0", 64) + `","a":1}`))
	f.Add(JSON([]byte(`{"a":1}`)))
	f.Fuzz(func(t *testing.T, text []byte) {
		object, state := OpenJSON(text)
		if state == Broken && object != nil {
			t.Error("a broken text was returned")
		}
		if state != Whole {
			return
		}
		if again, s := OpenJSON(JSON(object)); json.Valid(object) && (s != Whole || !bytes.Equal(again, object)) {
			t.Errorf("sealed again: %q, %v", again, s)
		}
	})
}
