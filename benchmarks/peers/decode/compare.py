"""Races the exported decoder of hsnas against the Transformer of this folder, on one thread
each, in turns: HAT's protocol (one sentence of 30 tokens, the encoder once, 30 decoder
steps of a beam of 5) and a whole translation by beam search of as many tokens. Machines are
shared, so processor time is compared, as that of one thread is all of its work."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import torch

from transformer import Random, Transformer

ARCHITECTURE = {
    "encoder_embed_dim": 512, "encoder_ffn_dim": [2048] * 6, "encoder_self_attn_heads": [8] * 6,
    "decoder_embed_dim": 640, "decoder_ffn_dim": [2048] * 4, "decoder_self_attn_heads": [8] * 4,
    "decoder_cross_attn_heads": [8] * 4, "decoder_cross_attn_span": [1] * 4,
}
TASK, VOCABULARY, TOKENS, BEAM = "wmt14.en-de", 32768, 30, 5
PARTS = ["encoder", "decoder", "total", "search"]


def torch_once(model, src, tokens, parents):
    """Milliseconds of the processor's time: on one thread that is all of the work."""
    begin = time.thread_time()
    outputs = model.encode(src)
    encoded = time.thread_time()
    state = model.start(outputs)
    for t in tokens:
        model.step(state, t, parents)
    decoded = time.thread_time()
    model.translate(src, BEAM, TOKENS, TOKENS)
    end = time.thread_time()
    times = [encoded - begin, decoded - encoded, decoded - begin, end - decoded]
    return {part: 1e3 * t for part, t in zip(PARTS, times)}


def hsnas_round(binary, folder, repetitions):
    """The rows of one run: medians of its repetitions, and the bound."""
    out = subprocess.run(
        [binary, "benchmark", "--model", folder, "--repetitions", str(repetitions), "--warmup", "1", "--search", "--json"],
        check=True, capture_output=True, text=True,
    )
    return {r["part"]: r for r in json.loads(out.stdout)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("hsnas")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--out")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        arch = os.path.join(folder, "architecture.json")
        json.dump(ARCHITECTURE, open(arch, "w"))
        models = {}
        for precision in ("fp32", "int8"):
            models[precision] = os.path.join(folder, precision)
            subprocess.run(
                [args.hsnas, "export", "--arch", arch, "--task", TASK, "--precision", precision, "--out", models[precision]],
                check=True, capture_output=True,
            )
        generator = torch.Generator().manual_seed(1)
        draw = lambda n: torch.randint(3, VOCABULARY, (n,), generator=generator)
        model = Transformer(ARCHITECTURE, VOCABULARY, Random(1))
        src, tokens, parents = draw(TOKENS), [draw(BEAM) for _ in range(TOKENS)], torch.tensor([1, 2, 3, 4, 0])
        torch_once(model, src, tokens, parents)
        theirs, ours = [], {p: [] for p in models}
        for n in range(args.rounds):
            theirs.append([torch_once(model, src, tokens, parents) for _ in range(args.repetitions)])
            for p in models:
                ours[p].append(hsnas_round(args.hsnas, models[p], args.repetitions))
            print(f"round {n + 1} of {args.rounds}", file=sys.stderr)
    text = report(theirs, ours, args)
    print(text)
    if args.out:
        with open(args.out, "w") as f:
            f.write(text)


def report(theirs, ours, args):
    rounds = {"PyTorch": {part: [statistics.median(t[part] for t in r) for r in theirs] for part in PARTS}}
    for p, rows in ours.items():
        rounds[p] = {part: [r[part]["cpu_ms"] for r in rows] for part in PARTS}
    lines = [
        "# Decoding with a beam against PyTorch", "",
        f"HAT's protocol on one thread: encoder 512, decoder 640 with {len(ARCHITECTURE['decoder_ffn_dim'])} layers, "
        f"{TOKENS} source tokens, {TOKENS} steps, beam {BEAM}; search is a whole translation by beam search.",
        f"PyTorch {torch.__version__.split('+')[0]}, Python {platform.python_version()}; {args.rounds} rounds in turns, {args.repetitions} repetitions each. "
        "hsnas keeps weights in pages of 2 MB, PyTorch runs as it comes. "
        "Milliseconds of processor time: median over rounds of the rounds' medians, in brackets the fastest round. Times are the median of the rounds' ratios.", "",
        "| part | PyTorch | hsnas | times | int8 | times | hsnas: share of bound | binds |", "|---|---|---|---|---|---|---|---|",
    ]
    cell = lambda x: f"{statistics.median(x):.1f} ({min(x):.1f})"
    ratio = lambda part, p: statistics.median(a / b for a, b in zip(rounds["PyTorch"][part], rounds[p][part]))
    for part in PARTS:
        share = statistics.median(r[part]["bound_ms"] / r[part]["cpu_ms"] for r in ours["fp32"])
        lines.append(
            f"| {part} | {cell(rounds['PyTorch'][part])} | {cell(rounds['fp32'][part])} | {ratio(part, 'fp32'):.2f} "
            f"| {cell(rounds['int8'][part])} | {ratio(part, 'int8'):.2f} | {100 * share:.0f} % | {ours['fp32'][0][part]['binds']} |"
        )
    first = [r["total"] for r in ours["fp32"]]
    lines += [
        "", f"Bounds from the machine's peak, {max(r['peak_gflops_per_s'] for r in first):.0f} GFLOP/s, and bandwidth, {max(r['peak_gb_per_s'] for r in first):.0f} GB/s, "
        f"best of the rounds (each round divides by its own), for {first[0]['gflops']:.1f} GFLOP and {first[0]['gigabytes']:.2f} GB.", "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
