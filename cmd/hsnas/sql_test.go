package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hsnas/internal/atomicfile"
	"hsnas/schemas"
)

// withSQL puts bin/hsnas-sql on PATH, or skips the test: it is built apart.
func withSQL(t *testing.T) {
	t.Helper()
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(bin, sqlProgram)); err != nil {
		t.Skip("bin/hsnas-sql is not there; build it with: just build-sql")
	}
	t.Setenv("PATH", bin)
	t.Setenv("HSNAS_RUNS", t.TempDir())
}

func TestSQLIsBuiltApart(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, log, code := runHsnas(t, "sql", "--run", "r", "SELECT 1")
	if out, _, code := runHsnas(t, "sql", "--help"); code != 0 || !strings.Contains(out, "hsnas sql --run RUN [--run RUN]") {
		t.Errorf("its help needs hsnas-sql: code %d\n%s", code, out)
	}
	const want = "hsnas: sql needs the program hsnas-sql, which is neither beside hsnas nor on PATH; build it with: npx --yes rust-just build-sql\n"
	if log != want || code != 2 {
		t.Errorf("code %d\n got %swant %s", code, log, want)
	}
}

// TestSQLHandsOver: arguments, streams and the exit code go through as they are.
func TestSQLHandsOver(t *testing.T) {
	bin := t.TempDir()
	script := "#!/bin/sh\ncat\nfor a; do echo \"<$a>\"; done\necho wrong >&2\nexit 2\n"
	if err := os.WriteFile(filepath.Join(bin, sqlProgram), []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":/bin:/usr/bin")
	var out, log bytes.Buffer
	code := run(t.Context(), []string{"hsnas", "sql", "--run", "r", "SELECT ';'", "--json"}, strings.NewReader("in\n"), &out, &log)
	if code != 2 || out.String() != "in\n<--run>\n<r>\n<SELECT ';'>\n<--json>\n" || log.String() != "wrong\n" {
		t.Errorf("code %d, %q, %q", code, out.String(), log.String())
	}
}

// TestSQLTellsOfASignal: a program that was killed has not ended well.
func TestSQLTellsOfASignal(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, sqlProgram), []byte("#!/bin/sh\nkill -PIPE $$\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":/bin:/usr/bin")
	if _, log, code := runHsnas(t, "sql", "--run", "r"); code != 141 || log != "" {
		t.Errorf("code %d: %s", code, log)
	}
}

func TestSQL(t *testing.T) {
	withSQL(t)
	smallRun{seed: 7, prediction: 18.5, mae: 1, seconds: 0.1}.run(t, "r")
	for statement, want := range map[string]string{
		"SELECT id, prediction, truth, lo FROM distill_predictions ORDER BY id":                                `[{"id":"a","prediction":20.5,"truth":21,"lo":null},` + "\n" + `{"id":"b","prediction":18.5,"truth":19,"lo":18}]`,
		"SELECT count(*) AS n FROM distill.predictions;":                                                       `[{"n":2}]`,
		"SELECT prompt_tokens FROM label.requests ORDER BY custom_id":                                          `[{"prompt_tokens":1152921504606846976},` + "\n" + `{"prompt_tokens":null}]`,
		"SELECT custom_id, body.model AS m FROM label_requests_jsonl ORDER BY 1":                               `[{"custom_id":"c1","m":"m"},` + "\n" + `{"custom_id":"c2","m":"m"}]`,
		"SELECT value FROM manifest.params WHERE name = 'label.seed'":                                          `[{"value":"7"}]`,
		"SELECT view FROM manifest.artifacts WHERE stage = 'label' ORDER BY view":                              `[{"view":"label_labels"},` + "\n" + `{"view":"label_requests"},` + "\n" + `{"view":"label_requests_jsonl"}]`,
		"SELECT path FROM manifest.inputs WHERE stage = 'distill' AND NOT external":                            `[{"path":"label/labels.parquet"}]`,
		"SELECT ended >= started AS ok, version FROM manifest.stages WHERE stage = 'label'":                    `[{"ok":true,"version":3}]`,
		"SELECT [1.5, NULL] AS l, {'a': 1} AS s, DATE '2026-01-02' AS d, 1.25::DECIMAL(9,2) AS x, sum(1) AS h": `[{"l":[1.5,null],"s":{"a":1},"d":"2026-01-02","x":1.25,"h":1}]`,
		"CREATE VIEW v AS SELECT 1 AS a; SELECT a FROM v":                                                      `[{"a":1}]`,

		"SELECT 'NaN'::DOUBLE AS a": `[{"a":null}]`,
		"-- nothing":                "",
	} {
		if want != "" {
			want += "\n"
		}
		out, log, code := runHsnas(t, "sql", "--run", "r", "--json", statement)
		if code != 0 || out != want {
			t.Errorf("%s: code %d: %s\n got %swant %s", statement, code, log, out, want)
		}
	}
	out, _, _ := runHsnas(t, "sql", "--run", "r", "SELECT predictor, mae FROM distill.scoreboard WHERE split = 'mean'", "--csv")
	if out != "predictor,mae\nllm-pp,1\n" {
		t.Errorf("CSV: %q", out)
	}
	out, _, _ = runHsnas(t, "sql", "--run", "r", "SELECT predictor, mae FROM distill.scoreboard WHERE split = 'mean'")
	if out != "predictor  mae\nllm-pp       1\n" {
		t.Errorf("a table: %q", out)
	}
}

// TestSQLOfSeveralRuns: every view has the column run, and runs need not have the same
// artifacts.
func TestSQLOfSeveralRuns(t *testing.T) {
	withSQL(t)
	smallRun{mae: 1}.run(t, "one")
	smallRun{mae: 2, failed: true}.run(t, "two")
	out, log, code := runHsnas(t, "sql", "--run", "one", "--run", "two", "--csv",
		"SELECT run, count(*) AS n FROM label.labels GROUP BY run ORDER BY run; SELECT DISTINCT run FROM distill.scoreboard; SELECT run, state FROM manifest.stages WHERE stage = 'distill' ORDER BY run")
	if want := "run,n\none,2\ntwo,2\nrun\none\nrun,state\none,done\ntwo,failed\n"; code != 0 || out != want {
		t.Errorf("code %d: %s\n got %qwant %q", code, log, out, want)
	}
}

// TestSQLNamesEveryArtifact: no name of a view needs quotes, as a reserved word would.
func TestSQLNamesEveryArtifact(t *testing.T) {
	withSQL(t)
	dir := filepath.Join(runsFolder(), "r")
	var outputs []map[string]any
	for _, a := range append(schemas.All(), schemas.Artifact{Path: "label/a-b/labels.parquet"}, schemas.Artifact{Path: "label/a_b/labels.parquet"}) {
		place := filepath.Join(dir, filepath.FromSlash(a.Path))
		if err := os.MkdirAll(filepath.Dir(place), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := schemas.WriteTFS(place, []schemas.TFS{{ID: a.Path}}, schemas.Provenance{}); err != nil {
			t.Fatal(err)
		}
		sum, size, err := atomicfile.Sum(place)
		if err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, map[string]any{"path": a.Path, "sha256": sum, "bytes": size})
	}
	manifest, err := json.Marshal(map[string]any{"format": 1, "stages": []any{map[string]any{"stage": "all", "state": "done", "outputs": outputs}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "run.json"), manifest, 0o666); err != nil {
		t.Fatal(err)
	}
	var statements, want strings.Builder
	for _, a := range schemas.All() {
		dotted := strings.ReplaceAll(strings.TrimSuffix(a.Path, ".parquet"), "/", ".")
		fmt.Fprintf(&statements, "SELECT id FROM %s; SELECT id FROM %s; ", dotted, strings.ReplaceAll(dotted, ".", "_"))
		fmt.Fprintf(&want, "id\n%s\nid\n%s\n", a.Path, a.Path)
	}
	statements.WriteString("SELECT id FROM label_a_b.labels; SELECT id FROM label_a_b.labels_2")
	want.WriteString("id\nlabel/a-b/labels.parquet\nid\nlabel/a_b/labels.parquet\n")
	out, log, code := runHsnas(t, "sql", "--run", "r", "--csv", statements.String())
	if code != 0 || out != want.String() {
		t.Errorf("code %d: %s\n got %s\nwant %s", code, log, out, want.String())
	}
}

// TestSQLOnlyReads: no statement reads or writes a file, loads an extension, or takes the
// bars away.
func TestSQLOnlyReads(t *testing.T) {
	withSQL(t)
	dir := smallRun{}.run(t, "r")
	labels := filepath.Join(dir, "label", "labels.parquet")
	before, err := atomicfile.SHA256(labels)
	if err != nil {
		t.Fatal(err)
	}
	away := filepath.Join(t.TempDir(), "away")
	for _, statement := range []string{
		"COPY label.labels TO '" + away + "'",
		"COPY (SELECT 1) TO '" + labels + "'",
		"COPY label.labels FROM '" + labels + "'",
		"SELECT * FROM '" + labels + "'",
		"SELECT * FROM read_text('/etc/passwd')",
		"SELECT * FROM read_csv('/etc/passwd')",
		"SELECT * FROM glob('/etc/*')",
		"ATTACH '" + away + "' AS x",
		"EXPORT DATABASE '" + away + "'",
		"INSTALL httpfs",
		"LOAD httpfs",
		"SELECT * FROM 'https://127.0.0.1:1/x.parquet'",
		"SET enable_external_access = true",
		"RESET lock_configuration",
		"PRAGMA temp_directory = '" + away + "'",
	} {
		out, log, code := runHsnas(t, "sql", "--run", "r", statement)
		if code != 2 || out != "" || strings.Count(log, "\n") != 1 {
			t.Errorf("%s: code %d, printed %q, %q", statement, code, out, log)
		}
	}
	if _, err := os.Lstat(away); err == nil {
		t.Error("a file was written")
	}
	if after, err := atomicfile.SHA256(labels); err != nil || after != before {
		t.Errorf("an artifact was changed: %v", err)
	}
}

func TestSQLRefuses(t *testing.T) {
	withSQL(t)
	runs := runsFolder()
	smallRun{}.run(t, "r")
	damaged := smallRun{}.run(t, "damaged")
	place := filepath.Join(damaged, "label", "labels.parquet")
	if err := os.WriteFile(place, []byte("PAR1PAR1"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		want string
		code int
	}{
		{nil, "sql needs --run RUN; see hsnas sql --help", 2},
		{[]string{"--run", "q"}, `there is no run "q" in ` + runs + "; known: damaged, r", 2},
		{[]string{"--run", "./q"}, "there is no run in ./q: it has no run.json", 2},
		{[]string{"--run", "r", "--run", "r"}, "--run r is given twice", 2},
		{[]string{"--run", "r", "SELECT", "1"}, `expected one statement, found another: "1"; put it in quotes`, 2},
		{[]string{"--run", "r", "--jsn"}, "flag provided but not defined: -jsn; see hsnas sql --help", 2},
		{[]string{"--run", "r", "--json", "--csv", "SELECT 1"}, "give one of --json, --csv and --jsonl", 2},
		{[]string{"--run", "r", "SELECT * FROM nothing"}, "Catalog Error: Table with name nothing does not exist!", 2},
		{[]string{"--run", "r", "SELEC 1"}, `Parser Error: syntax error at or near "SELEC" (line 1)`, 2},
		{[]string{"--run", "damaged", "SELECT 1"}, place + ", which stage label wrote, is damaged; hsnas run makes it again", 1},
	} {
		out, log, code := runHsnas(t, append([]string{"sql"}, test.args...)...)
		if !strings.HasPrefix(log, "hsnas sql: "+test.want) || strings.Count(log, "\n") != 1 || code != test.code || out != "" {
			t.Errorf("%q: code %d, printed %q\n got %swant hsnas sql: %s", test.args, code, out, log, test.want)
		}
	}
}

// TestSQLShell: statements of standard input run as they end, over lines and comments,
// and a script ends at the first that is wrong.
func TestSQLShell(t *testing.T) {
	withSQL(t)
	smallRun{}.run(t, "r")
	var out, log bytes.Buffer
	script := "CREATE VIEW v AS -- a view; of mine\n  SELECT 1 AS a;\nSELECT a\nFROM v; SELECT ';' AS s"
	if code := run(t.Context(), []string{"hsnas", "sql", "--run", "r", "--csv"}, strings.NewReader(script), &out, &log); code != 0 || out.String() != "a\n1\ns\n;\n" || log.Len() > 0 {
		t.Errorf("code %d: %q, %q", code, out.String(), log.String())
	}
	out.Reset()
	if code := run(t.Context(), []string{"hsnas", "sql", "--run", "r", "--csv"}, strings.NewReader("SELECT 1 AS a;\nSELECT b;\nSELECT 2 AS a;\n"), &out, &log); code != 2 || out.String() != "a\n1\n" {
		t.Errorf("code %d: %q, %q", code, out.String(), log.String())
	}
}
