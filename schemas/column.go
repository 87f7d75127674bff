package schemas

import (
	"errors"
	"math"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
)

// column moves one field of a row of type T into and out of a Parquet column.
type column[T any] struct {
	name, unit, description string
	kind                    arrow.DataType
	nullable                bool
	put                     func(array.Builder, *T) error
	get                     func(arrow.Array, int, *T)
}

// field returns the Arrow field; the unit and the description are its metadata.
func (c column[T]) field() arrow.Field {
	keys, values := []string{"description"}, []string{c.description}
	if c.unit != "" {
		keys, values = append(keys, "unit"), append(values, c.unit)
	}
	return arrow.Field{Name: c.name, Type: c.kind, Nullable: c.nullable, Metadata: arrow.NewMetadata(keys, values)}
}

var errNaN = errors.New("NaN where a number is required")

// text is a required column of UTF-8 text. This and the constructors below take
// the column's name, its unit where it can have one, its description and where
// in the row the value is.
func text[T any](name, description string, at func(*T) *string) column[T] {
	return column[T]{
		name: name, description: description, kind: arrow.BinaryTypes.String,
		put: func(b array.Builder, row *T) error {
			b.(*array.StringBuilder).Append(*at(row))
			return nil
		},
		get: func(a arrow.Array, i int, row *T) { *at(row) = a.(*array.String).Value(i) },
	}
}

// flag is a required column of truth values.
func flag[T any](name, description string, at func(*T) *bool) column[T] {
	return column[T]{
		name: name, description: description, kind: arrow.FixedWidthTypes.Boolean,
		put: func(b array.Builder, row *T) error {
			b.(*array.BooleanBuilder).Append(*at(row))
			return nil
		},
		get: func(a arrow.Array, i int, row *T) { *at(row) = a.(*array.Boolean).Value(i) },
	}
}

// small is a required column of 32-bit integers.
func small[T any](name, unit, description string, at func(*T) *int32) column[T] {
	return column[T]{
		name: name, unit: unit, description: description, kind: arrow.PrimitiveTypes.Int32,
		put: func(b array.Builder, row *T) error {
			b.(*array.Int32Builder).Append(*at(row))
			return nil
		},
		get: func(a arrow.Array, i int, row *T) { *at(row) = a.(*array.Int32).Value(i) },
	}
}

// integer is a required column of 64-bit integers.
func integer[T any](name, unit, description string, at func(*T) *int64) column[T] {
	return column[T]{
		name: name, unit: unit, description: description, kind: arrow.PrimitiveTypes.Int64,
		put: func(b array.Builder, row *T) error {
			b.(*array.Int64Builder).Append(*at(row))
			return nil
		},
		get: func(a arrow.Array, i int, row *T) { *at(row) = a.(*array.Int64).Value(i) },
	}
}

// maybeInteger is a column of 64-bit integers in which nil is null.
func maybeInteger[T any](name, unit, description string, at func(*T) **int64) column[T] {
	return column[T]{
		name: name, unit: unit, description: description, kind: arrow.PrimitiveTypes.Int64, nullable: true,
		put: func(b array.Builder, row *T) error {
			if v := *at(row); v == nil {
				b.AppendNull()
			} else {
				b.(*array.Int64Builder).Append(*v)
			}
			return nil
		},
		get: func(a arrow.Array, i int, row *T) {
			if a.IsValid(i) {
				*at(row) = new(a.(*array.Int64).Value(i))
			}
		},
	}
}

// number is a required column of 64-bit floating-point numbers.
func number[T any](name, unit, description string, at func(*T) *float64) column[T] {
	return column[T]{
		name: name, unit: unit, description: description, kind: arrow.PrimitiveTypes.Float64,
		put: func(b array.Builder, row *T) error {
			if math.IsNaN(*at(row)) {
				return errNaN
			}
			b.(*array.Float64Builder).Append(*at(row))
			return nil
		},
		get: func(a arrow.Array, i int, row *T) { *at(row) = a.(*array.Float64).Value(i) },
	}
}

// maybeNumber is a column of 64-bit floating-point numbers in which NaN is null.
func maybeNumber[T any](name, unit, description string, at func(*T) *float64) column[T] {
	return column[T]{
		name: name, unit: unit, description: description, kind: arrow.PrimitiveTypes.Float64, nullable: true,
		put: func(b array.Builder, row *T) error {
			if v := *at(row); math.IsNaN(v) {
				b.AppendNull()
			} else {
				b.(*array.Float64Builder).Append(v)
			}
			return nil
		},
		get: func(a arrow.Array, i int, row *T) {
			*at(row) = math.NaN()
			if a.IsValid(i) {
				*at(row) = a.(*array.Float64).Value(i)
			}
		},
	}
}

// numbers is a required column of lists of 64-bit floating-point numbers; NaN
// elements are null, an empty list is read back as nil.
func numbers[T any](name, unit, description string, at func(*T) *[]float64) column[T] {
	return column[T]{
		name: name, unit: unit, description: description, kind: arrow.ListOf(arrow.PrimitiveTypes.Float64),
		put: func(b array.Builder, row *T) error {
			list := b.(*array.ListBuilder)
			list.Append(true)
			elements := list.ValueBuilder().(*array.Float64Builder)
			for _, v := range *at(row) {
				if math.IsNaN(v) {
					elements.AppendNull()
				} else {
					elements.Append(v)
				}
			}
			return nil
		},
		get: func(a arrow.Array, i int, row *T) {
			list := a.(*array.List)
			start, end := list.ValueOffsets(i)
			*at(row) = floats(list.ListValues().(*array.Float64), int(start), int(end))
		},
	}
}

// floats copies elements start to end of a, null as NaN; nil if there are none.
func floats(a *array.Float64, start, end int) []float64 {
	if start == end {
		return nil
	}
	out := make([]float64, 0, end-start)
	for i := start; i < end; i++ {
		if a.IsNull(i) {
			out = append(out, math.NaN())
			continue
		}
		out = append(out, a.Value(i))
	}
	return out
}
