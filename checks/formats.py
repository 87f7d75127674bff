"""Holds docs/formats.md against a run: every file is in the table of paths, every
Parquet file has a section, and the section's table is the file's columns.

    python checks/formats.py RUN
    python checks/formats.py --write RUN    # rewrite the tables from the files
"""

import pathlib
import re
import sys

import pyarrow.parquet as parquet

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "formats.md"
TYPES = {"string": "text", "bool": "true or false", "double": "float64"}


def table(path):
    """The columns of a file as a Markdown table."""
    lines = ["| column | type | unit | |", "| --- | --- | --- | --- |"]
    for field in parquet.read_schema(path):
        metadata = {k.decode(): v.decode() for k, v in (field.metadata or {}).items()}
        kind = str(field.type)
        kind = "list of float64" if kind.startswith("list<") else TYPES.get(kind, kind)
        null = " or null" if field.nullable else ""
        lines.append(f"| {field.name} | {kind}{null} | {metadata.get('unit', '')} | {metadata.get('description', '')} |")
    return "\n".join(lines) + "\n"


def documented(text):
    """The paths of a run that the page names, as one regular expression."""
    section = re.search(r"^## Files of a run\n(.*?)^## ", text, re.M | re.S)[1]
    paths = [p for row in re.findall(r"^\| (`[^|]*) \|", section, re.M) for p in re.findall(r"`([^`]+)`", row)]
    any_name = re.compile(r"\\\*|<[^>]*>")
    return re.compile("|".join(f"(?:{any_name.sub('[^/]+', re.escape(p))})" for p in paths))


def undocumented(run, text):
    """The files of a run that the page does not name."""
    known = documented(text)
    for path in sorted(run.rglob("*")):
        name = path.relative_to(run).as_posix()
        if path.is_file() and not known.fullmatch(name):
            yield f"{name} is in no row of \"Files of a run\""


def main(run, write):
    text = PAGE.read_text(encoding="utf-8")
    failures = list(undocumented(run, text))
    for path in sorted(run.rglob("*.parquet")):
        # A matrix of prompts has the stage label's files once for each of its cells.
        name = re.sub(r"^label/[^/]+/", "label/", path.relative_to(run).as_posix())
        section = re.search(rf"^### `{re.escape(name)}`\n.*?(?P<table>^\|.*?\|\n)(?!\|)", text, re.M | re.S)
        if not section:
            failures.append(f"{name} has no section with a table")
        elif write:
            text = text[: section.start("table")] + table(path) + text[section.end("table") :]
        elif section["table"] != table(path):
            failures.append(f"the table of {name} is not what the file holds; run: checks/formats.py --write {run}")
    if write:
        PAGE.write_text(text, encoding="utf-8")
    for failure in failures:
        print(f"formats: docs/formats.md: {failure}", file=sys.stderr)
    if not failures:
        print(f"formats: docs/formats.md agrees with {run}")
    return 1 if failures else 0


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--write"]
    if len(arguments) != 1:
        sys.exit("usage: formats.py [--write] RUN")
    sys.exit(main(pathlib.Path(arguments[0]), "--write" in sys.argv))
