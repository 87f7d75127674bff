"""Labels with live answers of llama.cpp's server, whose model is random, and holds
what hsnas wrote against what the server counted and what the official client gets.

    python checks/local_llm/check.py HSNAS LLAMA_PYTHON WORK

WORK holds model.gguf and gets the runs and the servers' logs. No port is fixed and
nothing but the loopback interface is used.
"""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.request

import openai
import pandas

HERE = pathlib.Path(__file__).resolve().parent
TEST, UNLABELLED = 20, 4  # architectures of the embedded table's test set; sampled
ASKED, SERVED = "whatever", "random-llama"  # the model's name in requests, and in answers
# What a prompt with one query asks for. The server imposes it: the request cannot.
ANSWER = r'root ::= "{\"predictions\": [{\"id\": 1, \"bleu\": " [1-9] [0-9] "." [0-9] [0-9] "}]}"'
KEY = "sk-local-0123456789abcdef"
SETTINGS = {
    "tfs.retrain": 0, "sample.unlabelled": UNLABELLED, "label.source": "live", "label.model": ASKED,
    "label.test_per_request": 1, "label.unlabelled_per_request": 1, "label.folds": 0, "label.tries": 2,
}
SHORT = "[definitions,demonstrations]"  # left out of the prompt where only the traffic matters


class Check:
    """A program under test and the folder for what it writes."""

    def __init__(self, hsnas, python, work):
        self.hsnas, self.python, self.work = str(hsnas), python, work
        self.runs = work / "runs"
        self.started = []  # processes of the program

    @contextlib.contextmanager
    def server(self, log, *flags):
        """A server for as long as the block lasts; it also ends when this process does."""
        command = [self.python, HERE / "server.py", self.work / "model.gguf", *flags]
        with open(self.work / (log + ".log"), "w") as err:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, text=True)
        try:
            address = process.stdout.readline().strip()
            assert address, f"the server did not start; see {err.name}"
            yield Server(address, process)
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()

    def command(self, run, stages, settings):
        settings = SETTINGS | settings
        sets = [a for k, v in settings.items() for a in ("--set", f"{k}={v}")]
        return [self.hsnas, "run", "-x", "micro", "--name", run, *stages, *sets]

    def start(self, run, address, *flags, key=KEY, **settings):
        """Starts the stage label of the run; the stages before it run first."""
        settings = {"label." + k: v for k, v in settings.items()}
        environment = os.environ | {"HSNAS_RUNS": str(self.runs), "OPENAI_API_KEY": key, "OPENAI_BASE_URL": address + "/v1"}
        if not (self.runs / run / "tfs").exists():
            before = subprocess.run(self.command(run, ["--to", "tfs"], settings), env=environment, capture_output=True, text=True)
            assert before.returncode == 0, before.stderr
        self.started.append(subprocess.Popen(
            self.command(run, ["--only", "label", *flags], settings),
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ))
        return self.started[-1]

    def label(self, run, address, *flags, fails=False, **settings):
        """Runs the stage label, with leave to buy, and returns what it said."""
        return self.finish(self.start(run, address, "--yes", *flags, **settings), fails)

    def finish(self, process, fails=False):
        said, _ = process.communicate(timeout=180)
        assert (process.returncode != 0) == fails, f"exit status {process.returncode}:\n{said}"
        assert "panic" not in said and "goroutine" not in said, said
        return said

    def journal(self, run):
        path = self.runs / run / "label" / "journal.jsonl"
        return path.read_bytes() if path.exists() else b""

    def labels(self, run):
        return pandas.read_parquet(self.runs / run / "label" / "labels.parquet")

    def requests(self, run):
        return pandas.read_parquet(self.runs / run / "label" / "requests.parquet")

    def lines(self, run):
        with open(self.runs / run / "label" / "requests.jsonl", encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def wait_for_answers(self, run, n):
        """Waits until the journal holds n answers."""
        end = time.monotonic() + 60
        while self.journal(run).count(b"\n") < n:
            assert time.monotonic() < end, f"{run}: no {n} answers within a minute"
            time.sleep(0.02)


class Server:
    def __init__(self, address, process):
        self.address, self.process = address, process

    @property
    def port(self):
        return self.address.rsplit(":", 1)[1]

    def tokens(self):
        """Tokens of prompts and of answers that the server has counted so far."""
        with urllib.request.urlopen(self.address + "/metrics") as f:
            text = f.read().decode()
        return tuple(int(re.search(rf"^llamacpp:{n}_total (\d+)$", text, re.M)[1]) for n in ("prompt_tokens", "tokens_predicted"))


def count(n, what):
    return f"{n} {what}" + ("" if n == 1 else "s")


def unconfirmed(check, server):
    """Without leave nothing is sent."""
    said = check.finish(check.start("live", server.address), fails=True)
    assert server.tokens() == (0, 0) and check.journal("live") == b"" and "--yes" in said, said
    return re.search(r"\d+ of \d+ requests are left to buy", said)[0]


def complete(check, server):
    """Every request is answered: labels, usage and the journal are what the server says."""
    check.label("live", server.address)
    labels, requests = check.labels("live"), check.requests("live")
    assert len(labels) == len(requests) == TEST + UNLABELLED, (len(labels), len(requests))
    assert (labels.gap == "").all() and labels.prediction.between(10, 99.99).all(), labels
    assert labels.prediction.nunique() >= 5, "the answers hardly depend on the prompts; the checks below would be weak"
    assert (requests.model == SERVED).all() and (requests.fingerprint != "").all(), requests.model.unique()
    assert (requests.finish_reason == "stop").all() and (requests.source == "live").all()
    assert (requests.attempts == 1).all() and (requests.seconds > 0).all(), requests[["attempts", "seconds"]]
    used = (requests.prompt_tokens.sum(), requests.completion_tokens.sum())
    assert used == server.tokens(), f"hsnas counts {used} tokens, the server {server.tokens()}"
    assert check.journal("live").count(b"\n") == len(requests)
    return f"{count(len(labels), 'label')}, {labels.prediction.nunique()} different, {used[0]} prompt and {used[1]} completion tokens as the server counts them"


def nothing_twice(check, server):
    """What is in the journal is not asked for again, not with --force either."""
    journal, tokens, labels = check.journal("live"), server.tokens(), check.labels("live")
    check.label("live", server.address)
    check.label("live", server.address, "--force")
    assert server.tokens() == tokens and check.journal("live") == journal
    assert check.labels("live").equals(labels)
    return "two more runs, one with --force: no token asked for, the journal unchanged byte for byte"


def official_client(check, server):
    """The official client gets the same answers to the lines of the batch file, and
    hsnas reads the response file that is made of them."""
    lines, predictions = check.lines("live"), check.labels("live").set_index("custom_id").prediction
    with openai.OpenAI(base_url=server.address + "/v1", api_key=KEY, max_retries=0) as client, concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda line: client.chat.completions.create(**line["body"]), lines))
    responses = check.work / "responses.jsonl"
    with open(responses, "w", encoding="utf-8") as f:
        for line, a in reversed(list(zip(lines, answers, strict=True))):  # a batch keeps no order
            got = json.loads(a.choices[0].message.content)["predictions"][0]["bleu"]
            assert got == predictions[line["custom_id"]], (line["custom_id"], got, predictions[line["custom_id"]])
            body = a.model_dump(mode="json", exclude_unset=True)
            f.write(json.dumps({"id": a.id, "custom_id": line["custom_id"], "response": {"status_code": 200, "request_id": a.id, "body": body}, "error": None}) + "\n")
    check.label("batch", server.address, source="batch", answers=responses)
    columns = ["id", "set", "split", "custom_id", "prediction", "gap"]
    assert check.labels("batch")[columns].equals(check.labels("live")[columns])
    return f"{count(len(answers), 'answer')}, each the one that hsnas got; read as a batch they give the same labels"


def gaps(check, server):
    """A service that answers the wrong thing leaves gaps that say so, asked for three times."""
    check.label("gaps", server.address, test_per_request=TEST, leave_out=SHORT)
    labels, requests = check.labels("gaps"), check.requests("gaps").set_index("set")
    test = labels[labels.set == "test"]
    assert len(test) == TEST and (test.gap == "answer: id 2 is missing").all() and test.prediction.isna().all(), test.gap.unique()
    assert (labels[labels.set == "unlabelled"].gap == "").all()
    for column in (requests.asks, requests.attempts):
        assert column["test"] == 3 and (column["unlabelled"] == 1).all(), column
    return f"{count(TEST, 'gap')} of one request, asked 3 times; {count(UNLABELLED, 'label')} beside them"


def budget(check, server):
    """A spent budget ends the run. Tokens as small as bytes are more than what is
    reserved for a request, so the last one may exceed it."""
    bound, before = 10_000, sum(server.tokens())
    said = check.label("budget", server.address, fails=True, budget_tokens=bound, max_tokens=64, concurrency=1, leave_out=SHORT)
    used = [e["prompt_tokens"] + e["completion_tokens"] for e in map(json.loads, check.journal("budget").splitlines())]
    assert f"the budget of {bound} tokens does not allow another request" in said, said
    assert sum(used) == sum(server.tokens()) - before and 0 < sum(used) < bound + max(used), used
    return f"{count(len(used), 'answer')} for {sum(used)} tokens of {bound}"


def unconstrained(check):
    """A model that babbles gives no label: one error, with the first reason."""
    with check.server("unconstrained") as server:
        said = check.label("babble", server.address, fails=True, test_per_request=TEST, leave_out=SHORT)
        requests = 1 + UNLABELLED
        assert f"none of the {requests} requests was answered usably" in said, said
        assert check.journal("babble").count(b"\n") == 3 * requests, "not every answer that was paid for is in the journal"
        tokens = server.tokens()
        check.label("babble", server.address, fails=True, test_per_request=TEST, leave_out=SHORT)
        assert server.tokens() == tokens, "asked again for what the journal holds"
    return re.search(r"the first: (.*?)( \(to go on|\n)", said)[1]


def too_long(check):
    """Prompts beyond the model's context are refused, and the run says why."""
    with check.server("too-long", "--context", "2048", "--grammar", ANSWER) as server:
        said = check.label("long", server.address, fails=True)
    why = re.search(r"status 400: .*? exceeds the available context size", said)
    assert why and check.journal("long") == b"", said
    return why[0]


def wrong_key(check):
    """A refused key ends the run at once, and stands nowhere."""
    with check.server("key", "--key", "sk-other", "--grammar", ANSWER) as server:
        said = check.label("key", server.address, fails=True)
        assert "status 401" in said and "check OPENAI_API_KEY" in said, said
        check.label("key", server.address, key="sk-other", leave_out=SHORT)
    assert (check.labels("key").gap == "").all()
    for path in check.runs.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), f"the key stands in {path}"
    assert KEY not in said
    return re.search(r"status 401.*?OPENAI_API_KEY", said)[0]


def ends_midway(check):
    """A server that ends in the middle of a run: an error, and the rest is asked for later."""
    with check.server("ends", "--grammar", ANSWER) as server:
        run = check.start("ends", server.address, "--yes")
        check.wait_for_answers("ends", 3)
        server.process.kill()
        said = check.finish(run, fails=True)
    assert "the service seems to be down" in said, said
    kept = check.journal("ends")
    with check.server("ends-again", "--grammar", ANSWER, "--port", server.port) as server:
        check.label("ends", server.address)
        answered = [json.loads(line)["request"] for line in kept.splitlines()]
        rest = check.requests("ends")
        rest = rest[~rest.request_key.isin(answered)]
        assert server.tokens() == (rest.prompt_tokens.sum(), rest.completion_tokens.sum()), "asked for more than the rest"
    whole = check.journal("ends")
    assert whole.startswith(kept) and whole.count(b"\n") == TEST + UNLABELLED
    assert check.labels("ends").prediction.equals(check.labels("live").prediction)
    return f"{count(len(answered), 'answer')} kept, {len(rest)} asked for after the server was there again"


def interrupted(check):
    """An interrupt waits for the answers under way; the run goes on where it was."""
    with check.server("interrupted", "--grammar", ANSWER) as server:
        run = check.start("interrupted", server.address, "--yes", concurrency=2)
        check.wait_for_answers("interrupted", 3)
        run.send_signal(signal.SIGINT)
        check.finish(run, fails=True)
        kept = check.journal("interrupted")
        spent = server.tokens()
        entries = [json.loads(line) for line in kept.splitlines()]
        journaled = (sum(e["prompt_tokens"] for e in entries), sum(e["completion_tokens"] for e in entries))
        assert journaled == spent, f"answers for {spent} tokens were made, the journal has {journaled}"
        check.label("interrupted", server.address)
        requests = check.requests("interrupted")
        assert server.tokens() == (requests.prompt_tokens.sum(), requests.completion_tokens.sum()), "something was asked for twice"
    assert check.labels("interrupted").prediction.equals(check.labels("live").prediction)
    return f"{count(len(entries), 'answer')} when it ended, all of them in the journal; none asked for twice"


def all_steps(check, step):
    with check.server("constrained", "--grammar", ANSWER) as server:
        for f in (unconfirmed, complete, nothing_twice, official_client, gaps, budget):
            step(f, server)
    for f in (unconstrained, too_long, wrong_key, ends_midway, interrupted):
        step(f)


def main(hsnas, python, work):
    check = Check(pathlib.Path(hsnas).resolve(), python, pathlib.Path(work).resolve())

    def step(f, *arguments):
        start = time.monotonic()
        said = f(check, *arguments)
        print(f"local_llm: {f.__name__}: {said} ({time.monotonic() - start:.1f} s)", flush=True)

    try:
        all_steps(check, step)
    finally:
        for process in check.started:
            if process.poll() is None:
                process.kill()
                process.wait()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: check.py HSNAS LLAMA_PYTHON WORK")
    main(*sys.argv[1:])
