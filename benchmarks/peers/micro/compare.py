#!/usr/bin/env python3
"""Training by hsnas and by PyTorch in one run: processor seconds of 500 steps from scratch, and
milliseconds of a supernet's step.

  compare.py HSNAS [--rounds N] [--out FILE]

HSNAS is the binary. Each architecture is trained by one after the other in turns, on one
thread each, so that a drift of the machine meets both. Seconds are of the training steps
alone, batches included, without corpus, set-up and evaluation. --out gets the table as
Markdown, with the machine described.
"""

import argparse
import csv
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

# The smallest, a middle and the largest of the architectures of the reference.
ARCHITECTURES = {
    "smallest (14)": {
        "encoder_embed_dim": 64, "encoder_ffn_dim": [128, 128, 64], "encoder_self_attn_heads": [4, 2, 2],
        "decoder_embed_dim": 32, "decoder_ffn_dim": [64], "decoder_self_attn_heads": [2],
        "decoder_cross_attn_heads": [2], "decoder_cross_attn_span": [1],
    },
    "middle (13)": {
        "encoder_embed_dim": 64, "encoder_ffn_dim": [128, 256, 64], "encoder_self_attn_heads": [2, 2, 4],
        "decoder_embed_dim": 64, "decoder_ffn_dim": [256, 256], "decoder_self_attn_heads": [4, 2],
        "decoder_cross_attn_heads": [2, 2], "decoder_cross_attn_span": [1, 3],
    },
    "largest (6)": {
        "encoder_embed_dim": 96, "encoder_ffn_dim": [128, 256, 256], "encoder_self_attn_heads": [4, 2, 2],
        "decoder_embed_dim": 96, "decoder_ffn_dim": [128, 256, 128], "decoder_self_attn_heads": [4, 2, 2],
        "decoder_cross_attn_heads": [2, 2, 2], "decoder_cross_attn_span": [3, 2, 3],
    },
}


def environment():
    """One thread each, and no setting that slows a BLAS down."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "NVPL_BLAS_"))}
    return env | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "GOMAXPROCS": "1"}


def hsnas(binary, architecture, seed):
    with tempfile.TemporaryDirectory() as work:
        command = [binary, "tfs", "--task", "micro.en-de", "--seed", str(seed), "--work", f"{work}/state", "--out", f"{work}/t.csv"]
        line = json.dumps({"set": "extra", "architecture": architecture})
        subprocess.run(command, input=line, text=True, check=True, env=environment(), stderr=subprocess.DEVNULL)
        with open(f"{work}/t.runs.csv", newline="") as file:
            row = next(csv.DictReader(file))
    return float(row["cpu_seconds"]), float(row["test_score"])


def pytorch(architecture, seed):
    command = [sys.executable, str(HERE / "train.py"), json.dumps(architecture), "--seed", str(seed)]
    out = json.loads(subprocess.run(command, text=True, check=True, env=environment(), capture_output=True).stdout)
    return out["cpu_seconds"], out["test_bleu"], f"PyTorch {out['torch']}, {out['blas']}"


def supernets(rounds):
    """Milliseconds of a supernet's step, hsnas and PyTorch in turns."""
    ours, theirs = [], []
    bench = ["go", "test", "-run", "^$", "-bench", "SupernetStep", "-benchtime", "200x", "./internal/micro"]
    for seed in range(1, rounds + 1):
        out = subprocess.run(bench, text=True, check=True, env=environment(), capture_output=True, cwd=HERE.parents[2]).stdout
        ours.append(float(re.search(r"BenchmarkSupernetStep\S*\s+\d+\s+([\d.]+) ns/op", out)[1]) / 1e6)
        command = [sys.executable, str(HERE / "supernet.py"), "--seed", str(seed)]
        out = subprocess.run(command, text=True, check=True, env=environment(), capture_output=True).stdout
        theirs.append(json.loads(out)["cpu_ms_per_step"])
    return ours, theirs


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hsnas")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out")
    args = parser.parse_args()
    lines, ratios, peer = [], [], ""
    for name, architecture in ARCHITECTURES.items():
        ours, theirs, bleus = [], [], []
        for seed in range(1, args.rounds + 1):
            seconds, bleu = hsnas(args.hsnas, architecture, seed)
            ours.append(seconds)
            seconds, other, peer = pytorch(architecture, seed)
            theirs.append(seconds)
            bleus.append((bleu, other))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        ratios.append(ratio)
        bleu = ", ".join(f"{a:.1f} / {b:.1f}" for a, b in bleus)
        lines.append(f"| {name} | {statistics.median(ours):.1f} | {statistics.median(theirs):.1f} | {ratio:.2f} | {bleu} |")
        print(lines[-1], file=sys.stderr)
    text = f"""# Training, hsnas against PyTorch

Processor seconds of 500 steps at batch 64, one thread each, in turns; medians of {args.rounds} rounds, the ratio that of each round. Test BLEU of hsnas / PyTorch, from
different random starts. {peer}; {processor()}. Made by `just bench-training`.

| architecture | hsnas, s | PyTorch, s | ratio | BLEU |
|---|---|---|---|---|
""" + "\n".join(lines) + f"\n\nMean ratio {statistics.mean(ratios):.2f}.\n"
    ours, theirs = supernets(args.rounds)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs))
    text += f"""
A step of the supernet at batch 64, sub-networks drawn uniformly, medians of {args.rounds} rounds of 200: hsnas {statistics.median(ours):.1f} ms,
PyTorch {statistics.median(theirs):.1f} ms, ratio {ratio:.2f}.
"""
    print(text)
    if args.out:
        pathlib.Path(args.out).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
