package main

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"hsnas/pipeline"
)

// The tables of the manifest, and their columns.
var manifestTables = []struct{ name, columns string }{
	{"stages", "stage VARCHAR, state VARCHAR, version INTEGER, key VARCHAR, started TIMESTAMP, ended TIMESTAMP, seconds DOUBLE, host VARCHAR, cores INTEGER"},
	{"artifacts", "stage VARCHAR, path VARCHAR, sha256 VARCHAR, bytes BIGINT, view VARCHAR"},
	{"inputs", "stage VARCHAR, path VARCHAR, sha256 VARCHAR, external BOOLEAN"},
	{"params", "stage VARCHAR, name VARCHAR, value VARCHAR"},
}

// describeRuns makes tables of the manifests, the lineage of every artifact.
func describeRuns(ctx context.Context, db *sql.DB, runs []runDir, tables []*table) error {
	run := ""
	if len(runs) > 1 {
		run = "run VARCHAR, "
	}
	statements := []string{"CREATE SCHEMA manifest"}
	for _, t := range manifestTables {
		statements = append(statements, "CREATE TABLE manifest."+t.name+" ("+run+t.columns+")", "CREATE VIEW manifest_"+t.name+" AS FROM manifest."+t.name)
	}
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	views := map[string]string{}
	for _, t := range tables {
		views[t.path] = t.flat()
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	w := &rowWriter{ctx: ctx, tx: tx}
	for _, r := range runs {
		w.run = nil
		if len(runs) > 1 {
			w.run = []any{r.name}
		}
		for _, s := range r.Stages {
			w.stage(s, views)
		}
	}
	if w.err != nil {
		_ = tx.Rollback()
		return w.err
	}
	return tx.Commit()
}

// rowWriter inserts rows until one cannot be.
type rowWriter struct {
	ctx context.Context
	tx  *sql.Tx
	run []any // the first values of every row
	err error
}

func (w *rowWriter) add(table string, values ...any) {
	if w.err != nil {
		return
	}
	values = append(slices.Clone(w.run), values...)
	places := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
	_, w.err = w.tx.ExecContext(w.ctx, fmt.Sprintf("INSERT INTO manifest.%s VALUES (%s)", table, places), values...)
}

func (w *rowWriter) stage(s *pipeline.Record, views map[string]string) {
	var ended any
	if !s.Ended.IsZero() {
		ended = s.Ended.UTC()
	}
	w.add("stages", s.Stage, string(s.State), s.Ingredients.Version, s.Key, s.Started.UTC(), ended, s.Seconds, s.Host.Name, s.Host.CPUs)
	for _, a := range s.Outputs {
		var view any
		if v, ok := views[a.Path]; ok {
			view = v
		}
		w.add("artifacts", s.Stage, a.Path, a.SHA256, a.Bytes, view)
	}
	for _, path := range slices.Sorted(maps.Keys(s.Ingredients.Inputs)) {
		w.add("inputs", s.Stage, path, s.Ingredients.Inputs[path], false)
	}
	for _, e := range s.Ingredients.External {
		w.add("inputs", s.Stage, e.Path, e.SHA256, true)
	}
	params := s.Parameters()
	for _, name := range slices.Sorted(maps.Keys(params)) {
		w.add("params", s.Stage, name, params[name])
	}
}
