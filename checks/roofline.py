"""Holds the peak and the bandwidth that hsnas measures against onnxruntime's Python package,
which times the same two files on one thread: in turns, the best of each, within 5 %. Both
keep weights in pages of 2 MB; here the C library is asked for them.

Usage: checks/roofline.py bin/hsnas, on a machine that does little else: a time depends on it,
so that no other check runs this one.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime as ort

TOLERANCE, ROUNDS, SECONDS = 0.05, 6, 1.0
LARGE_PAGES = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")  # read when a process starts


def fastest(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    x = session.get_inputs()[0]
    feed = {x.name: np.full(x.shape, 0.01, np.float32)}
    best, begun = float("inf"), time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        start = time.perf_counter()
        session.run(None, feed)
        best = min(best, time.perf_counter() - start)
    return best


def main(binary):
    ours, theirs = [0, 0], [0, 0]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            out = subprocess.run([binary, "benchmark", "--roofline", folder, "--json"], check=True, capture_output=True, text=True)
            limits = json.loads(out.stdout)
            mine = 2 * 512**3 / fastest(folder + "/peak.onnx") / 1e9, 4 * 8192 * 4096 / fastest(folder + "/stream.onnx") / 1e9
            ours = [max(a, b) for a, b in zip(ours, (limits["peak_gflops_per_s"], limits["peak_gb_per_s"]))]
            theirs = [max(a, b) for a, b in zip(theirs, mine)]
    bad = False
    for name, a, b in zip(("peak, GFLOP/s", "bandwidth, GB/s"), ours, theirs):
        print(f"{name}: hsnas {a:.1f}, Python {b:.1f}, ratio {a / b:.3f}")
        bad |= abs(a / b - 1) > TOLERANCE
    return 1 if bad else 0


if __name__ == "__main__":
    if os.environ.get(LARGE_PAGES[0]) != LARGE_PAGES[1]:
        os.environ[LARGE_PAGES[0]] = LARGE_PAGES[1]
        os.execv(sys.executable, [sys.executable, *sys.argv])
    sys.exit(main(sys.argv[1]))
