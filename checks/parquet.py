"""Reads a folder of artifacts with pyarrow, pandas, DuckDB, Polars and hyparquet and compares what they see.

    python checks/parquet.py DIR

DIR is a run directory, or what the tests of package schemas write: then DIR/expected.json
holds the columns and values of each artifact. Without it the readers are compared with
each other. HSNAS_HYPARQUET names the folder that checks/hyparquet.sh prints; without it
hyparquet is left out. Nothing here is needed to build or run hsnas.
"""

import datetime
import json
import math
import os
import pathlib
import subprocess
import sys

import duckdb
import pandas
import polars
import pyarrow.parquet

KEYS = ["hsnas.schema", "hsnas.stage", "hsnas.stage_version", "hsnas.key", "hsnas.task"]
DUCKDB = {"string": "VARCHAR", "bool": "BOOLEAN", "int32": "INTEGER", "int64": "BIGINT", "float64": "DOUBLE", "list<float64>": "DOUBLE[]"}
POLARS = {"string": polars.String, "bool": polars.Boolean, "int32": polars.Int32, "int64": polars.Int64,
          "float64": polars.Float64, "list<float64>": polars.List(polars.Float64)}
# What hyparquet calls the physical and the logical type of a column.
HYPARQUET = {"string": ("BYTE_ARRAY", "UTF8"), "bool": ("BOOLEAN", None), "int32": ("INT32", "INT_32"), "int64": ("INT64", "INT_64"),
             "float64": ("DOUBLE", None), "list<float64>": (None, "LIST")}
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


def exact(item):
    """Undoes what read.mjs does to numbers that JSON has no form for."""
    if list(item) == ["int"]:
        return int(item["int"])
    if list(item) == ["float"]:
        return float(item["float"].replace("Infinity", "inf"))
    return item


def with_hyparquet(paths):
    """What hyparquet sees, by path; nothing where it is not there."""
    folder = os.environ.get("HSNAS_HYPARQUET")
    if not folder:
        return {}
    done = subprocess.run(["node", f"{folder}/read.mjs", *map(str, paths)], stdout=subprocess.PIPE, text=True)
    check(done.returncode == 0, "hyparquet", "cannot read every file, see above")
    seen = [json.loads(line, object_hook=exact) for line in done.stdout.splitlines()]
    return {pathlib.Path(s["path"]): s for s in seen}


def check_hyparquet(where, seen, file, types, want):
    """Types, nulls, metadata and values as a reader sees them that has no schema of Arrow's."""
    stored = {k.decode(): v.decode() for k, v in file.metadata.metadata.items() if k != b"ARROW:schema"}
    check(seen["stored"] == stored, where, f"hyparquet reads the metadata {seen['stored']}")
    check(seen["created_by"] == "hsnas", where, f"hyparquet: created by {seen['created_by']!r}")
    top, rest = [], seen["schema"][1:]
    while rest:  # children follow their parent, depth first
        top.append(rest[0])
        left, at = rest[0].get("num_children") or 0, 1
        while left:
            left += (rest[at].get("num_children") or 0) - 1
            at += 1
        rest = rest[at:]
    check([e["name"] for e in top] == list(types), where, f"hyparquet reads the columns {[e['name'] for e in top]}")
    nullable = {f.name: f.nullable for f in file.schema_arrow}
    for e in top:
        kind = (e.get("type"), e.get("converted_type"))
        check(kind == HYPARQUET[types[e["name"]]], where, f"hyparquet reads column {e['name']} as {kind}")
        repetition = "OPTIONAL" if nullable[e["name"]] else "REQUIRED"
        check(e["repetition_type"] == repetition, where, f"hyparquet reads column {e['name']} as {e['repetition_type']}")
    equal_columns(where, "hyparquet", {n: [row[n] for row in seen["rows"]] for n in types}, want)


def check_plain_pandas(where, path, types, want):
    """pandas without options: what most people type. Missing integers make a column of floats."""
    frame = pandas.read_parquet(path)
    exactly = {n: v for n, v in want.items() if not (types[n] == "int64" and None in v)}
    equal_columns(where, "pandas without options", {n: frame[n] for n in exactly}, exactly)


def check_times(folder):
    """The times of run.json, the only ones of a run, as pandas and DuckDB read them: UTC, in order."""
    path = folder / "run.json"
    if not path.exists():
        return
    stages = [s for s in json.loads(path.read_text())["stages"] if s["state"] == "done"]
    frame = pandas.DataFrame(stages)
    for name in ("started", "ended"):
        want = [datetime.datetime.fromisoformat(s[name].split(".")[0].rstrip("Z") + "+00:00") for s in stages]
        seen = list(pandas.to_datetime(frame[name], format="ISO8601", utc=True).dt.floor("s"))
        check(seen == want, "run.json", f"pandas reads {name} as {seen}")
        rows = duckdb.sql(f"select date_trunc('second', s.{name}::timestamp) from (select unnest(stages) as s from read_json('{path}')) where s.state = 'done'").fetchall()
        check([r[0] for r in rows] == [t.replace(tzinfo=None) for t in want], "run.json", f"DuckDB reads {name} as {rows}")
    took = pandas.to_datetime(frame["ended"], format="ISO8601") - pandas.to_datetime(frame["started"], format="ISO8601")
    check(((took.dt.total_seconds() - frame["seconds"]).abs() < 1).all(), "run.json", "seconds are not the time from started to ended")


def check_file(path, where, expected, hyparquet):
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
    check_plain_pandas(where, path, types, want)
    if path in hyparquet:
        check_hyparquet(where, hyparquet[path], file, types, want)
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
    hyparquet = with_hyparquet(paths)
    rows = sum(check_file(path, str(path.relative_to(folder)), expected.get(str(path.relative_to(folder))), hyparquet) for path in paths)
    check_times(folder)
    if failures:
        sys.exit("\n".join(failures))
    print(f"{len(paths)} artifacts, {rows} rows: pyarrow {pyarrow.__version__}, pandas {pandas.__version__}, "
          f"DuckDB {duckdb.__version__}, Polars {polars.__version__} {'and hyparquet' if hyparquet else '(no hyparquet)'} agree")


if __name__ == "__main__":
    main()
