"""Runs the fenced snippets of Markdown pages and follows their relative links.

    python checks/snippets.py --runs RUNS PAGE.md...

Run are blocks marked python, sql, and `sh run` (a plain sh block is for reading).
The blocks of a page run in order: Python blocks share their names, SQL blocks one
DuckDB connection, which Python blocks see as the default one. They run in a
folder that looks like the repository's root, whose runs/ is RUNS: paths on a
page are what a reader would type. `python skip=REASON` leaves a block out, and
`sh run needs=PROGRAM` does where there is no such program.
A relative link must lead to a file, and `just NAME` to a recipe.
"""

import argparse
import contextlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

import duckdb

FENCE = re.compile(r"^(?P<tick>`{3,})(?P<info>[^`\n]*)\n(?P<code>.*?)^(?P=tick)\s*$", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
RECIPE = re.compile(r"^\s*(?:npx --yes rust-just(?:@\S+)?|just) ([a-z-]+)", re.M)


def blocks(text):
    """Yields (line, language, words after it, code)."""
    for m in FENCE.finditer(text):
        language, _, rest = m["info"].strip().partition(" ")
        yield text.count("\n", 0, m.start()) + 1, language, rest, m["code"]


def run(language, code, where, names):
    if language == "python":
        exec(compile(code, where, "exec"), names)
    elif language == "sql":
        for statement in duckdb.extract_statements(code):
            duckdb.execute(statement).fetchall()
    else:
        subprocess.run(["bash", "-euo", "pipefail", "-c", code], check=True, stdin=subprocess.DEVNULL)


def run_page(page, counts):
    """Runs a page's snippets; returns what failed."""
    failures, names = [], {"__name__": "__main__"}
    duckdb.default_connection().close()
    duckdb.set_default_connection(duckdb.connect())
    for line, language, rest, code in blocks(page.read_text(encoding="utf-8")):
        where = f"{page}:{line}"
        if not (language in ("python", "sql") or language == "sh" and rest.split(" ")[0] == "run"):
            continue
        program = re.search(r"needs=(\S+)", rest)
        if program and not shutil.which(program[1]):
            print(f"snippets: skipped {where}: there is no {program[1]}")
            continue
        if rest.startswith("skip="):
            print(f"snippets: skipped {where}: {rest[5:]}")
            continue
        output = io.StringIO()
        try:
            with contextlib.redirect_stdout(output):
                run(language, code, where, names)
        except Exception:
            failures.append(f"{where}: {traceback.format_exc(limit=-2)}")
            continue
        if language == "python" and "print" in code and not output.getvalue().strip():
            failures.append(f"{where}: the block prints nothing")
        counts[language] = counts.get(language, 0) + 1
    return failures


def dead_links(page, root, recipes):
    text = page.read_text(encoding="utf-8")
    prose = FENCE.sub("", text)
    for target in LINK.findall(prose):
        path = target.split("#")[0]
        if path and not re.match(r"[a-z]+:", path) and not (page.parent / path).exists():
            yield f"{page.relative_to(root)}: dead link {target}"
    for name in RECIPE.findall("\n".join(b[3] for b in blocks(text) if b[1] == "sh")):
        if name not in recipes:
            yield f"{page.relative_to(root)}: no recipe {name} in the justfile"


def stage_root(root, runs, folder):
    """Fills folder with links to the repository's files, and runs."""
    for entry in root.iterdir():
        if entry.name not in ("runs", ".git"):
            (folder / entry.name).symlink_to(entry)
    (folder / "runs").symlink_to(runs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", required=True, type=pathlib.Path)
    parser.add_argument("pages", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    root = pathlib.Path(__file__).resolve().parent.parent
    recipes = set(re.findall(r"^([a-z-]+)[^:=\n]*:(?!=)", (root / "justfile").read_text(), re.M))
    pages = [p.resolve() for p in args.pages if p.exists()]
    failures = [f for p in pages for f in dead_links(p, root, recipes)]
    counts = {}
    runs = args.runs.resolve()
    os.environ["PATH"] = f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"
    os.environ["HSNAS_RUNS"] = str(runs)
    with tempfile.TemporaryDirectory() as folder:
        stage_root(root, runs, pathlib.Path(folder))
        os.chdir(folder)
        for page in pages:
            failures += run_page(page.relative_to(root), counts)
        os.chdir(root)
    for failure in failures:
        print(f"snippets: {failure}", file=sys.stderr)
    done = ", ".join(f"{n} {language}" for language, n in sorted(counts.items())) or "none"
    print(f"snippets: ran on {len(pages)} pages: {done}; {len(failures)} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
