package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/published"
)

// promptRun runs `hsnas prompt` on files of demonstrations and queries.
func promptRun(t *testing.T, demos, queries string, more ...string) (stdout, stderr string, code int) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"demos.jsonl": demos, "queries.jsonl": queries} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	args := append([]string{"prompt", "--task", "wmt14.en-de", "--demos", filepath.Join(dir, "demos.jsonl"), "--queries", filepath.Join(dir, "queries.jsonl")}, more...)
	app := newApp(strings.NewReader(""), nil, nil)
	if app.Command("prompt") == nil { // until it is wired
		app.Commands = append(app.Commands, promptCommand())
	}
	var out, errs bytes.Buffer
	app.Writer, app.ErrWriter = &out, &errs
	err := app.RunContext(context.Background(), append([]string{"hsnas"}, args...))
	if err != nil {
		errs.WriteString(strings.ReplaceAll(err.Error(), dir+"/", ""))
	}
	return out.String(), errs.String(), exitCode(err)
}

func demoLine(architecture string, score float64) string {
	return fmt.Sprintf(`{"architecture":%s,"score":%v}`+"\n", architecture, score)
}

func TestPrompt(t *testing.T) {
	stdout, stderr, code := promptRun(t, demoLine(shallow, 24.3), strings.Repeat(spaced+"\n", 5), "--per-request", "2", "--split", "s", "--model", "m")
	if code != 0 {
		t.Fatal(stderr)
	}
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d requests, want 3", len(lines))
	}
	for i, line := range lines {
		if want := fmt.Sprintf(`{"custom_id": "wmt14ende-demoss-test-%d", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "m", "messages": [`, i); !strings.HasPrefix(line, want) {
			t.Errorf("line %d begins %.150s", i, line)
		}
		if !strings.HasSuffix(line, `], "temperature": 0}}`) {
			t.Errorf("line %d ends %s", i, line[len(line)-40:])
		}
	}
}

// TestPromptPublished holds the command against a recorded request.
func TestPromptPublished(t *testing.T) {
	root, err := published.Root()
	if err != nil {
		t.Skip("needs the published figures: ", err)
	}
	var demos, queries strings.Builder
	train, err := published.Seeds(root, "wmt14ende", "123", published.Demonstrations)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range train {
		demos.WriteString(demoLine(s.Architecture, s.Valid))
	}
	test, err := published.Seeds(root, "wmt14ende", "123", published.Test)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range test {
		queries.WriteString(s.Architecture + "\n")
	}
	stdout, stderr, code := promptRun(t, demos.String(), queries.String(), "--split", "123")
	if code != 0 {
		t.Fatal(stderr)
	}
	var got struct {
		CustomID string `json:"custom_id"`
		Body     struct{ Messages []struct{ Content string } }
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	// internal/prompt/testdata/published.sha256 holds the others.
	const want = "72095829cdb647fbe02f07fbd28c5739d03b87e3d90472fc67d17ec584603b07"
	if sum := sha256.Sum256([]byte(got.Body.Messages[1].Content)); hex.EncodeToString(sum[:]) != want || got.CustomID != "wmt14ende-demos123-test-0" {
		t.Errorf("%s: the user message differs from the recorded one", got.CustomID)
	}
}

func TestPromptRefuses(t *testing.T) {
	good := demoLine(shallow, 24.3)
	tests := []struct {
		name, demos, queries string
		flags                []string
		want                 string
	}{
		{"no demonstrations", "\n", shallow, nil, `demos.jsonl: no demonstrations; expected lines of {"architecture": {...}, "score": 25.1}`},
		{"no queries", good, "", nil, `queries.jsonl: no queries; expected an architecture as JSON on each line`},
		{"no score", good + `{"architecture":{}}`, shallow, nil, `demos.jsonl:2: "score" is missing; expected {"architecture": {...}, "score": 25.1}`},
		{"no architecture", `{"score":24}`, shallow, nil, `demos.jsonl:1: "architecture" is missing; expected {"architecture": {...}, "score": 25.1}`},
		{"score out of range", demoLine(shallow, 240), shallow, nil, `demos.jsonl:1: score 240 is outside the range of BLEU, 0 to 100`},
		{"score as text", `{"architecture":{},"score":"24"}`, shallow, nil, `demos.jsonl:1: not a demonstration, {"architecture": {...}, "score": 25.1}: json: cannot unmarshal string into Go struct field .score of type float64`},
		{"unknown key", `{"arch":{},"score":24}`, shallow, nil, `demos.jsonl:1: not a demonstration, {"architecture": {...}, "score": 25.1}: json: unknown field "arch"`},
		{"text behind", strings.TrimSpace(good) + " x", shallow, nil, `demos.jsonl:1: text after the JSON object`},
		{"query outside the space", good, strings.Replace(shallow, "512", "513", 1), nil, `queries.jsonl:1: architecture: encoder_embed_dim: 513 is outside the space; choices: [512 640]`},
		{"per request", good, shallow, []string{"--per-request", "0"}, `--per-request is 0; expected at least 1`},
		{"way", good, shallow, []string{"--ask", "rank"}, `--ask is "rank"; did you mean "ranking"?; expected one of [values ranking pairs]`},
		{"pairs", good, shallow, []string{"--ask", "pairs"}, `--ask pairs compares two queries; give --per-request 2`},
		{"odd pairs", good, shallow, []string{"--ask", "pairs", "--per-request", "2"}, `--ask pairs compares the queries two by two; 1 are no even number`},
		{"disguise", good, shallow, []string{"--disguise", "fals"}, `--disguise is "fals"; did you mean "false"?; expected one of [neutral false]`},
		{"component", good, shallow, []string{"--leave-out", "costs"}, `--leave-out: unknown component "costs"; did you mean "cost"?`},
		{"argument", good, shallow, []string{"file"}, `prompt takes no argument, found "file"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, code := promptRun(t, tt.demos, tt.queries, tt.flags...)
			if stderr != tt.want || code != exitUsage || stdout != "" {
				t.Errorf("code %d, stdout %q, message\n got %s\nwant %s", code, stdout, stderr, tt.want)
			}
		})
	}
}
