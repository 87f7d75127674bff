package main

import (
	"context"
	"database/sql"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// openDatabase reads the artifacts of the runs into a database in memory, and then takes
// every way out of it away.
func openDatabase(ctx context.Context, runs []runDir) (*sql.DB, error) {
	connector, err := duckdb.NewConnector("?autoinstall_known_extensions=false&autoload_known_extensions=false", nil)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1) // settings and what the user creates belong to all statements
	if err := fill(ctx, db, runs); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func fill(ctx context.Context, db *sql.DB, runs []runDir) error {
	tables, err := tablesOf(runs)
	if err != nil {
		return err
	}
	for _, t := range tables {
		if err := t.create(ctx, db, len(runs) > 1); err != nil {
			return err
		}
	}
	if err := describeRuns(ctx, db, runs, tables); err != nil {
		return err
	}
	for _, setting := range []string{
		"SET temp_directory = ''", "SET enable_external_access = false", "SET lock_configuration = true",
	} {
		if _, err := db.ExecContext(ctx, setting); err != nil {
			return fmt.Errorf("%s: %w", setting, err)
		}
	}
	return nil
}

// table is an artifact that is a table, in every run that has it.
type table struct {
	path         string // in the run directory
	schema, name string
	files        []file
}

type file struct{ run, place string }

// tablesOf lists the tables of runs, each file checked against the manifest.
func tablesOf(runs []runDir) ([]*table, error) {
	var out []*table
	by, taken := map[string]*table{}, map[string]bool{}
	for _, r := range runs {
		for _, s := range r.Stages {
			for _, a := range s.Outputs {
				if found, _ := r.Artifact(a.Path); found == nil || reader(a.Path) == "" || a.Bytes == 0 {
					continue
				}
				if err := a.Intact(r.dir, s.Stage); err != nil {
					return nil, err
				}
				t := by[a.Path]
				if t == nil {
					t = newTable(a.Path, taken)
					by[a.Path] = t
					out = append(out, t)
				}
				t.files = append(t.files, file{r.name, filepath.Join(r.dir, filepath.FromSlash(a.Path))})
			}
		}
	}
	return out, nil
}

// reader is DuckDB's function for an artifact, "" for what is no table.
func reader(artifact string) string {
	switch path.Ext(artifact) {
	case ".parquet":
		return "read_parquet(%s)"
	case ".jsonl":
		return "read_json(%s, format = 'newline_delimited')"
	}
	return ""
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// newTable names the table of an artifact after its path: the folders are the schema;
// another extension than Parquet's belongs to the name. A name that is taken gets a number.
func newTable(artifact string, taken map[string]bool) *table {
	base := strings.TrimSuffix(artifact, ".parquet")
	name := notInNames.ReplaceAllString(path.Base(base), "_")
	schema := notInNames.ReplaceAllString(path.Dir(base), "_")
	unique := name
	for n := 2; taken[schema+"_"+unique]; n++ {
		unique = fmt.Sprintf("%s_%d", name, n)
	}
	taken[schema+"_"+unique] = true
	return &table{path: artifact, schema: schema, name: unique}
}

// flat is the name of the view that is found without a schema.
func (t *table) flat() string { return t.schema + "_" + t.name }

// create reads the files, and makes a view of the table in the schema main.
func (t *table) create(ctx context.Context, db *sql.DB, several bool) error {
	var parts []string
	for _, f := range t.files {
		columns := "*"
		if several {
			columns = text(f.run) + " AS run, *"
		}
		parts = append(parts, "SELECT "+columns+" FROM "+fmt.Sprintf(reader(t.path), text(f.place)))
	}
	statements := []string{
		"CREATE SCHEMA IF NOT EXISTS " + quoted(t.schema),
		"CREATE TABLE " + quoted(t.schema) + "." + quoted(t.name) + " AS " + strings.Join(parts, " UNION ALL BY NAME "),
		"CREATE VIEW " + quoted(t.flat()) + " AS FROM " + quoted(t.schema) + "." + quoted(t.name),
	}
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("cannot read %s: %s", t.files[0].place, oneLine(err))
		}
	}
	return nil
}

// quoted is a name as SQL has it, text a literal.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func text(value string) string { return "'" + strings.ReplaceAll(value, "'", "''") + "'" }

// place is where DuckDB says that a statement is wrong.
var place = regexp.MustCompile(`(?s)\s*\n\s*LINE (\d+):.*`)

// oneLine makes DuckDB's message, which draws the statement, one line.
func oneLine(err error) string {
	message := place.ReplaceAllString(err.Error(), " (line $1)")
	return strings.Join(strings.Fields(message), " ")
}
