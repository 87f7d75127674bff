"""Reads a folder of artifacts with pyarrow, pandas, DuckDB and Polars and compares what they see.

    python checks/parquet.py DIR

DIR is a run directory, or what the tests of package schemas write: then DIR/expected.json
holds the columns and values of each artifact. Without it the readers are compared with
each other. Nothing here is needed to build or run hsnas.
"""

import json
import math
import pathlib
import sys

import duckdb
import pandas
import polars
import pyarrow.parquet

KEYS = ["hsnas.schema", "hsnas.stage", "hsnas.stage_version", "hsnas.key", "hsnas.task"]
DUCKDB = {"string": "VARCHAR", "bool": "BOOLEAN", "int32": "INTEGER", "int64": "BIGINT", "float64": "DOUBLE", "list<float64>": "DOUBLE[]"}
POLARS = {"string": polars.String, "bool": polars.Boolean, "int32": polars.Int32, "int64": polars.Int64,
          "float64": polars.Float64, "list<float64>": polars.List(polars.Float64)}
failures = []


def check(holds, where, message):
    if not holds:
        failures.append(f"{where}: {message}")


def plain(value):
    """The value as JSON has it: missing as None, arrays as lists."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def equal_columns(where, reader, got, want):
    for name, values in want.items():
        seen = [plain(v) for v in got[name]]
        check(seen == values, where, f"{reader} reads other values in column {name}")


def check_schema(where, file, columns):
    """Types, nulls, units and descriptions, as pyarrow sees them. Returns type names by column."""
    types = {}
    for field in file.schema_arrow:
        types[field.name] = "list<float64>" if pyarrow.types.is_list(field.type) else {"double": "float64"}.get(str(field.type), str(field.type))
        metadata = {k.decode(): v.decode() for k, v in (field.metadata or {}).items()}
        check(metadata.get("description"), where, f"column {field.name} has no description")
        if columns is not None:
            column = columns.get(field.name)
            check(column is not None, where, f"column {field.name} is not expected")
            for name, got in [("type", types[field.name]), ("nullable", field.nullable), ("description", metadata.get("description")), ("unit", metadata.get("unit"))]:
                check(column.get(name) == got, where, f"column {field.name}: {name} {got!r}, expected {column.get(name)!r}")
    if columns is not None:
        check(list(columns) == list(types), where, f"columns {list(types)}, expected {list(columns)}")
    return types


def check_file(path, where, expected):
    file = pyarrow.parquet.ParquetFile(path)
    metadata = {k.decode(): v.decode() for k, v in file.metadata.metadata.items()}
    for key in KEYS:
        check(key in metadata, where, f"no metadata {key}")
    check(file.metadata.created_by == "hsnas", where, f"created by {file.metadata.created_by!r}")
    columns = None
    if expected:
        check(metadata.get("hsnas.schema") == expected["schema"], where, f"schema {metadata.get('hsnas.schema')!r}")
        columns = {c["name"]: c for c in expected["columns"]}
    types = check_schema(where, file, columns)
    for group in range(file.metadata.num_row_groups):
        for i in range(file.metadata.num_columns):
            chunk = file.metadata.row_group(group).column(i)
            check(chunk.compression == "ZSTD", where, f"column {chunk.path_in_schema} is {chunk.compression}")
            check(not any("DICT" in e for e in chunk.encodings), where, f"column {chunk.path_in_schema} has a dictionary")

    table = file.read()
    table.validate(full=True)
    want = {name: [plain(v) for v in table.column(name).to_pylist()] for name in table.column_names}
    if expected:
        stated = {c: [row[i] for row in expected["rows"]] for i, c in enumerate(columns)}
        equal_columns(where, "pyarrow", want, stated)
        want = stated
    frame = pandas.read_parquet(path, dtype_backend="pyarrow")
    equal_columns(where, "pandas", {n: [None if v is pandas.NA else v for v in frame[n]] for n in frame}, want)
    relation = duckdb.sql(f"select * from read_parquet('{path}')")
    for name, kind in zip(relation.columns, relation.types):
        check(str(kind) == DUCKDB[types[name]], where, f"DuckDB reads column {name} as {kind}")
    rows = relation.fetchall()
    equal_columns(where, "DuckDB", {n: [r[i] for r in rows] for i, n in enumerate(relation.columns)}, want)
    lazy = polars.read_parquet(path)
    for name, kind in lazy.schema.items():
        check(kind == POLARS[types[name]], where, f"Polars reads column {name} as {kind}")
    equal_columns(where, "Polars", lazy.to_dict(as_series=False), want)
    return table.num_rows


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    listed = folder / "expected.json"
    expected = json.loads(listed.read_text()) if listed.exists() else {}
    paths = sorted(folder.rglob("*.parquet"))
    check(paths, str(folder), "no artifacts")
    for name in expected:
        check((folder / name) in paths, name, "is not there")
    rows = sum(check_file(path, str(path.relative_to(folder)), expected.get(str(path.relative_to(folder)))) for path in paths)
    if failures:
        sys.exit("\n".join(failures))
    print(f"{len(paths)} artifacts, {rows} rows: pyarrow {pyarrow.__version__}, pandas {pandas.__version__}, "
          f"DuckDB {duckdb.__version__} and Polars {polars.__version__} agree")


if __name__ == "__main__":
    main()
