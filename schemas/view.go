package schemas

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"
)

// View is an artifact of any kind as text and plain values, to look at. It holds
// one row group in memory, however long the file is.
type View struct {
	Schema     string // "architectures/1"
	Provenance Provenance
	Columns    []Column
	Rows       int64
	Bytes      int64
	SHA256     string // of the whole file, 64 hex digits

	path   string
	file   *os.File
	reader *pqarrow.FileReader
}

// Column describes one column of an artifact.
type Column struct {
	Name        string `json:"name"`
	Type        string `json:"type"` // string, bool, int32, int64, float64, list<float64>
	Unit        string `json:"unit,omitempty"`
	Description string `json:"description"`
	Nullable    bool   `json:"nullable"`
}

// Measured says whether the values are what the machine did at the time: a second
// run of the same program gives others.
func (c Column) Measured() bool {
	switch c.Unit {
	case "s", "ms", "MB", "C", "GFLOP/s", "GB/s":
		return !strings.HasPrefix(c.Name, "predicted")
	}
	switch c.Name {
	case "load_before", "load_after", "share", "binds", "discarded_blocks", "disturbed_blocks", "attempts":
		return true
	}
	return false
}

// Open opens the artifact at path, whichever it is, after checking its seal.
func Open(path string) (*View, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	v := &View{path: path, file: f}
	if err := v.open(); err != nil {
		f.Close()
		return nil, err
	}
	return v, nil
}

// Close closes the file.
func (v *View) Close() error { return v.file.Close() }

// open checks the seal with one pass over the file, then reads its footer. Files of
// a run are replaced, never changed, so that what was checked is what is read.
func (v *View) open() error {
	info, err := v.file.Stat()
	if err != nil {
		return err
	}
	v.Bytes = info.Size()
	if v.SHA256, err = checkSeal(v.path, v.file, v.Bytes); err != nil {
		return err
	}
	parquetFile, err := file.NewParquetReader(v.file)
	if err != nil {
		return &Error{v.path, err.Error()}
	}
	if v.reader, err = pqarrow.NewFileReader(parquetFile, pqarrow.ArrowReadProperties{BatchSize: rowGroup}, memory.DefaultAllocator); err != nil {
		return &Error{v.path, err.Error()}
	}
	schema, err := v.reader.Schema()
	if err != nil {
		return &Error{v.path, err.Error()}
	}
	for _, field := range schema.Fields() {
		v.Columns = append(v.Columns, describe(field))
	}
	stored := parquetFile.MetaData().KeyValueMetadata()
	value := func(key string) string {
		if found := stored.FindValue(key); found != nil {
			return *found
		}
		return ""
	}
	version, _ := strconv.Atoi(value("hsnas.stage_version"))
	v.Schema, v.Rows = value("hsnas.schema"), parquetFile.NumRows()
	v.Provenance = Provenance{Stage: value("hsnas.stage"), StageVersion: version, Key: value("hsnas.key"), Task: value("hsnas.task")}
	return nil
}

// checkSeal returns the SHA-256 of a file of size bytes if its seal holds. It keeps
// the footer alone in memory.
func checkSeal(path string, r io.ReaderAt, size int64) (string, error) {
	tail, err := tailOf(r, size)
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", path, err)
	}
	whole, sum := sha256.New(), sha256.New()
	body := size - int64(len(tail))
	if _, err := io.Copy(io.MultiWriter(whole, sum), io.NewSectionReader(r, 0, body)); err != nil {
		return "", fmt.Errorf("cannot read %s: %w", path, err)
	}
	whole.Write(tail)
	head := make([]byte, min(size, int64(len(parquetMagic))))
	if _, err := r.ReadAt(head, 0); err != nil && size > 0 {
		return "", fmt.Errorf("cannot read %s: %w", path, err)
	}
	found := len(tail) > sealSize && strings.HasPrefix(string(tail), sealMagic)
	if found {
		sum.Write(tail[sealSize:])
	}
	holds := found && string(sum.Sum(nil)) == string(tail[len(sealMagic):sealSize])
	return hex.EncodeToString(whole.Sum(nil)), sealError(path, head, found, holds)
}

// tailOf returns the end of a file from where a seal would begin, nothing where its
// last bytes are not a Parquet file's.
func tailOf(r io.ReaderAt, size int64) ([]byte, error) {
	last := make([]byte, min(size, int64(tailSize)))
	if _, err := r.ReadAt(last, size-int64(len(last))); err != nil && size > 0 {
		return nil, err
	}
	length, ok := footerLength(last, size)
	if !ok || size-length < int64(sealSize+len(parquetMagic)) {
		return nil, nil
	}
	tail := make([]byte, length+int64(sealSize))
	_, err := r.ReadAt(tail, size-int64(len(tail)))
	return tail, err
}

// Each yields the values of the named columns, all where none is named, row by row
// in the order of the names: string, bool, int64, float64, []any of float64, or nil
// for null. An error ends it.
func (v *View) Each(names ...string) iter.Seq2[[]any, error] {
	if len(names) == 0 {
		for _, c := range v.Columns {
			names = append(names, c.Name)
		}
	}
	return func(yield func([]any, error) bool) {
		indices, leaves, err := v.indices(names)
		if err != nil {
			yield(nil, err)
			return
		}
		for group := range v.reader.ParquetReader().NumRowGroups() {
			table, err := v.reader.ReadRowGroups(context.Background(), leaves, []int{group})
			if err != nil {
				yield(nil, &Error{v.path, err.Error()})
				return
			}
			going := eachRow(table, indices, yield)
			table.Release()
			if !going {
				return
			}
		}
	}
}

// indices returns, for each name, its place among the columns that are read, and the
// leaves of the file that these are. Every column has one leaf.
func (v *View) indices(names []string) (order, leaves []int, err error) {
	for _, name := range names {
		i := slices.IndexFunc(v.Columns, func(c Column) bool { return c.Name == name })
		if i < 0 {
			return nil, nil, fmt.Errorf("%s has no column %q", v.path, name)
		}
		leaves = append(leaves, i)
	}
	wanted := slices.Clone(leaves)
	slices.Sort(leaves)
	leaves = slices.Compact(leaves)
	for _, i := range wanted {
		order = append(order, slices.Index(leaves, i))
	}
	return order, leaves, nil
}

// eachRow yields the rows of a table until yield has enough.
func eachRow(table arrow.Table, order []int, yield func([]any, error) bool) bool {
	reader := array.NewTableReader(table, rowGroup)
	defer reader.Release()
	for reader.Next() {
		record := reader.Record()
		for i := range int(record.NumRows()) {
			row := make([]any, len(order))
			for j, c := range order {
				row[j] = value(record.Column(c), i)
			}
			if !yield(row, nil) {
				return false
			}
		}
	}
	return true
}

func describe(field arrow.Field) Column {
	c := Column{Name: field.Name, Type: typeName(field.Type), Nullable: field.Nullable}
	c.Unit, _ = field.Metadata.GetValue("unit")
	c.Description, _ = field.Metadata.GetValue("description")
	return c
}

func typeName(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.StringType:
		return "string"
	case *arrow.ListType:
		return "list<" + typeName(t.Elem()) + ">"
	}
	return t.Name()
}

// value returns element i of an array as a plain Go value.
func value(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i)
	case *array.Boolean:
		return a.Value(i)
	case *array.Int32:
		return int64(a.Value(i))
	case *array.Int64:
		return a.Value(i)
	case *array.Float64:
		return a.Value(i)
	case *array.List:
		start, end := a.ValueOffsets(i)
		list := make([]any, 0, end-start)
		for j := start; j < end; j++ {
			list = append(list, value(a.ListValues(), int(j)))
		}
		return list
	}
	return nil
}
