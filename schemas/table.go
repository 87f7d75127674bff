// Package schemas defines the Parquet artifacts that stages hand to each other:
// a Go row type for each, its columns with units and descriptions, a writer and
// a reader. It is the only package that knows how they are stored.
//
// # Rows
//
// A column is required unless its description says otherwise. In a Go row a
// missing floating-point value is NaN and a missing integer is a nil pointer;
// both are null in the file. NaN in a required column is an error. The bytes of
// an artifact depend on its rows and its [Provenance] alone.
//
// # Damage
//
// The Parquet reader underneath can end the process on damaged input. Every
// artifact is therefore sealed: the SHA-256 of the rest of the file stands
// between the last page and the footer, where Parquet readers do not look. The
// readers of this package check it before anything is parsed, and answer damaged
// and foreign files with an *[Error].
package schemas

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"hsnas/internal/atomicfile"
)

// Provenance says what wrote an artifact. It is stored in the file as the keys
// hsnas.stage, hsnas.stage_version, hsnas.key and hsnas.task.
type Provenance struct {
	Stage        string
	StageVersion int
	Key          string // the stage's key: hash of its parameters, inputs and version
	Task         string
}

// Error says that an artifact cannot be read.
type Error struct{ Path, Msg string }

// Error returns "PATH: what is wrong and what to do".
func (e *Error) Error() string { return e.Path + ": " + e.Msg }

// table describes one artifact whose rows are of type T.
type table[T any] struct {
	name    string // stored as hsnas.schema, with the version
	version int    // raised with every change of the columns
	columns []column[T]
}

// rowGroup is the number of rows that are written at once. Memory grows with
// it; list columns get slow far above it.
const rowGroup = 65_536

func (t *table[T]) id() string { return t.name + "/" + strconv.Itoa(t.version) }

// schema returns the Arrow schema without the provenance.
func (t *table[T]) schema(metadata *arrow.Metadata) *arrow.Schema {
	fields := make([]arrow.Field, len(t.columns))
	for i, c := range t.columns {
		fields[i] = c.field()
	}
	return arrow.NewSchema(fields, metadata)
}

// write stores rows at path, whole or not at all.
func (t *table[T]) write(path string, rows []T, p Provenance) error {
	data, err := t.encode(rows, p)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return atomicfile.Write(path, data)
}

func (t *table[T]) encode(rows []T, p Provenance) ([]byte, error) {
	metadata := arrow.NewMetadata(
		[]string{"hsnas.schema", "hsnas.stage", "hsnas.stage_version", "hsnas.key", "hsnas.task"},
		[]string{t.id(), p.Stage, strconv.Itoa(p.StageVersion), p.Key, p.Task})
	schema := t.schema(&metadata)
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &out, parquet.NewWriterProperties(
		parquet.WithRootRepetition(parquet.Repetitions.Required), // the default, repeated, is refused by strict readers
		parquet.WithDictionaryDefault(false),
		parquet.WithCompression(compress.Codecs.Zstd),
		parquet.WithCreatedBy("hsnas"),
	), pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	if err != nil {
		return nil, err
	}
	for start := 0; start < len(rows); start += rowGroup {
		record, err := t.record(schema, rows[start:min(start+rowGroup, len(rows))], start)
		if err != nil {
			return nil, err
		}
		err = w.Write(record)
		record.Release()
		if err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return seal(out.Bytes())
}

// record builds the columns of rows, the first of which is number start.
func (t *table[T]) record(schema *arrow.Schema, rows []T, start int) (arrow.Record, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i, c := range t.columns {
		field := b.Field(i)
		field.Reserve(len(rows))
		for j := range rows {
			if err := c.put(field, &rows[j]); err != nil {
				return nil, fmt.Errorf("row %d, column %s: %w", start+j, c.name, err)
			}
		}
	}
	return b.NewRecord(), nil
}

// read returns the rows of the artifact at path.
func (t *table[T]) read(path string) ([]T, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return t.decode(path, f)
}

func (t *table[T]) decode(path string, r io.Reader) ([]T, error) {
	c, err := load(path, r)
	if err != nil {
		return nil, err
	}
	defer c.Release()
	if err := t.check(path, c); err != nil {
		return nil, err
	}
	rows := make([]T, c.NumRows())
	for i, column := range t.columns {
		row := 0
		for _, chunk := range c.Column(i).Data().Chunks() {
			for j := range chunk.Len() {
				column.get(chunk, j, &rows[row])
				row++
			}
		}
	}
	return rows, nil
}

// check refuses a table of another artifact or of another version of this one.
func (t *table[T]) check(path string, c *content) error {
	if found := c.stored["hsnas.schema"]; found != t.id() {
		return &Error{path, fmt.Sprintf("it holds %q, expected %q; run the stage that writes it again", found, t.id())}
	}
	want := t.schema(nil).Fields()
	for i, field := range c.Schema().Fields() {
		if i >= len(want) || field.Name != want[i].Name || !arrow.TypeEqual(field.Type, want[i].Type) {
			return &Error{path, fmt.Sprintf("column %d is %s %s, not one of %q; run the stage that writes it again", i, field.Name, field.Type, t.id())}
		}
	}
	if n := len(c.Schema().Fields()); n != len(want) {
		return &Error{path, fmt.Sprintf("it has %d columns, expected %d; run the stage that writes it again", n, len(want))}
	}
	return nil
}
