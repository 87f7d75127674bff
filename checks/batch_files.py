"""Holds the request files of a run, requests.jsonl of its stages, against the
official client of the service whose Batch API takes them.

    python checks/batch_files.py RUN

The client has types of a chat completion's body and of a batch's endpoint, and these
are used. It has none of a line and no check of a file: the line's four keys, unique
names and the limits of a file, which it states as text, are checked here.
"""

import json
import pathlib
import sys
import typing

import openai
import pandas
import pydantic
from openai.types import batch_create_params
from openai.types.chat import completion_create_params

# As the client documents BatchCreateParams.input_file_id.
MOST_LINES, MOST_BYTES = 50_000, 200 * 10**6
ENDPOINT = "/v1/chat/completions"
ENDPOINTS = typing.get_args(typing.get_type_hints(batch_create_params.BatchCreateParams)["endpoint"])
BODY = pydantic.TypeAdapter(completion_create_params.CompletionCreateParamsNonStreaming)
KEYS = ["custom_id", "method", "url", "body"]


def body_fault(body):
    """What the client's types have against the body, "" for nothing."""
    try:
        got = BODY.validate_python(body, strict=True)
        # Messages are an Iterable there, which pydantic validates as it is read.
        got["messages"] = list(got["messages"])
    except pydantic.ValidationError as e:
        first = e.errors()[0]
        return f"body: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    # Keys that the types do not have are dropped, not refused.
    return "" if got == body else "body: it has keys that the client's types do not have"


def line_fault(line):
    """What is wrong with a line, "" for nothing."""
    if list(line) != KEYS:
        return f"keys {list(line)}, expected {KEYS}"
    if not (isinstance(line["custom_id"], str) and line["custom_id"]):
        return f"custom_id {line['custom_id']!r}, expected a name"
    if line["method"] != "POST" or line["url"] != ENDPOINT or ENDPOINT not in ENDPOINTS:
        return f"{line['method']} {line['url']}, expected POST {ENDPOINT}, of the endpoints {', '.join(ENDPOINTS)}"
    return body_fault(line["body"])


def only_replayed(path):
    """Whether the answers were recorded ones: those belong to requests without a
    model, the one thing that such a file lacks to be sent."""
    table = path.with_suffix(".parquet")
    return not table.exists() or set(pandas.read_parquet(table).source) == {"replay"}


def check_file(path):
    """Yields what is wrong with the file."""
    text = path.read_bytes()
    lines = [json.loads(line) for line in text.decode("ascii").splitlines()]
    if len(lines) > MOST_LINES or len(text) > MOST_BYTES or not text.endswith(b"\n"):
        yield f"{len(lines)} lines, {len(text)} bytes, expected at most {MOST_LINES} and {MOST_BYTES}, and a newline at the end"
    models = {line.get("body", {}).get("model") for line in lines}
    if models == {None} and only_replayed(path):
        for line in lines:
            line["body"]["model"] = "any"
    first = {}
    for number, line in enumerate(lines, 1):
        if fault := line_fault(line):
            yield f"line {number}: {fault}"
        if (other := first.setdefault(line["custom_id"], number)) != number:
            yield f"line {number} has the custom_id of line {other}"
    named = "no model" if models == {None} else "model " + ", ".join(sorted(map(str, models)))
    print(f"batch_files: {path}: {len(lines)} requests, {len(text)} bytes, {named}; types of openai {openai.__version__}")


def main(run):
    failures = [f"{path}: {fault}" for path in sorted(run.glob("*/requests.jsonl")) for fault in check_file(path)]
    for failure in failures:
        print(f"batch_files: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: batch_files.py RUN")
    sys.exit(main(pathlib.Path(sys.argv[1])))
