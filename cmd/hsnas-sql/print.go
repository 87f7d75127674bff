package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/duckdb/duckdb-go/v2"

	"hsnas/cmd/hsnas-sql/statements"
	"hsnas/internal/config"
	"hsnas/internal/tabular"
)

// printer runs statements and prints what they give.
type printer struct {
	db     *sql.DB
	out    io.Writer
	format tabular.Format
	width  int
}

// all runs the statements of a text, the last with a semicolon or without.
func (p *printer) all(ctx context.Context, text string) error {
	whole, rest := statements.Split(text)
	for _, s := range append(whole, rest) {
		if err := p.one(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// silent are the statements that give no rows worth printing.
var silent = []string{"create", "drop", "insert", "update", "delete", "alter", "set", "reset", "use", "begin", "commit", "rollback"}

func (p *printer) one(ctx context.Context, statement string) error {
	if statements.Blank(statement) {
		return nil
	}
	if slices.Contains(silent, statements.First(statement)) {
		_, err := p.db.ExecContext(ctx, statement)
		return fault(err)
	}
	rows, err := p.db.QueryContext(ctx, statement)
	if err != nil {
		return fault(err)
	}
	defer rows.Close()
	if err := p.print(rows); err != nil {
		return err
	}
	return fault(rows.Err())
}

// fault is an error of DuckDB's as one line: the statement is the user's.
func fault(err error) error {
	if err == nil {
		return nil
	}
	return config.Errorf("", 0, "%s", oneLine(err))
}

func (p *printer) print(rows *sql.Rows) error {
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	out := tabular.New(p.out, p.format, columns, p.width)
	values, at := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		at[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(at...); err != nil {
			return err
		}
		row := make([]any, len(values))
		for i, v := range values {
			row[i] = plain(v, types[i].DatabaseTypeName())
		}
		if err := out.Row(row); err != nil {
			return err
		}
	}
	if rows.Err() != nil {
		return nil // reported by the caller, before half a table is taken for a whole one
	}
	return out.Close()
}

// plain is a value of DuckDB's of a type as package tabular takes it.
func plain(v any, kind string) any {
	switch v := v.(type) {
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case uint64:
		return plain(new(big.Int).SetUint64(v), kind)
	case float32:
		return float64(v)
	case *big.Int:
		if v.IsInt64() {
			return v.Int64()
		}
		return json.Number(v.String())
	case duckdb.Decimal:
		return v.Float64()
	case time.Time:
		return moment(v, kind)
	case []byte:
		if kind == "BLOB" && utf8.Valid(v) {
			return string(v)
		}
		return hex.EncodeToString(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i], "")
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = plain(v[k], "")
		}
		return out
	case duckdb.Map:
		out := make(map[string]any, len(v))
		for k := range v {
			out[fmt.Sprint(plain(k, ""))] = plain(v[k], "")
		}
		return out
	case nil, bool, int64, float64, string:
		return v
	}
	return fmt.Sprint(v)
}

// moment keeps of a date or a time of day what it has.
func moment(t time.Time, kind string) any {
	switch kind {
	case "DATE":
		return t.Format(time.DateOnly)
	case "TIME":
		return t.Format("15:04:05.999999")
	}
	return t
}
