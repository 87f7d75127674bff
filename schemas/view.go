package schemas

import (
	"os"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// View is an artifact of any kind as text and plain values, to look at.
type View struct {
	Schema     string // "architectures/1"
	Provenance Provenance
	Columns    []Column
	Rows       int

	content *content
}

// Column describes one column of an artifact.
type Column struct {
	Name        string `json:"name"`
	Type        string `json:"type"` // string, bool, int32, int64, float64, list<float64>
	Unit        string `json:"unit,omitempty"`
	Description string `json:"description"`
	Nullable    bool   `json:"nullable"`
}

// Open reads the artifact at path, whichever it is.
func Open(path string) (*View, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := load(path, f)
	if err != nil {
		return nil, err
	}
	version, _ := strconv.Atoi(c.stored["hsnas.stage_version"])
	v := &View{
		Schema:     c.stored["hsnas.schema"],
		Provenance: Provenance{Stage: c.stored["hsnas.stage"], StageVersion: version, Key: c.stored["hsnas.key"], Task: c.stored["hsnas.task"]},
		Rows:       int(c.NumRows()),
		content:    c,
	}
	for _, field := range c.Schema().Fields() {
		v.Columns = append(v.Columns, describe(field))
	}
	return v, nil
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

// Values returns the values of rows start to end, one slice for each row in the
// order of Columns: string, bool, int64, float64, []any of float64, or nil for null.
func (v *View) Values(start, end int) [][]any {
	start = max(0, min(start, v.Rows))
	end = max(start, min(end, v.Rows))
	rows := make([][]any, end-start)
	for i := range rows {
		rows[i] = make([]any, len(v.Columns))
	}
	for c := range v.Columns {
		row := -start
		for _, chunk := range v.content.Column(c).Data().Chunks() {
			for i := max(0, -row); i < chunk.Len() && row+i < len(rows); i++ {
				rows[row+i][c] = value(chunk, i)
			}
			row += chunk.Len()
		}
	}
	return rows
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
