#!/usr/bin/env python3
"""Trains one architecture from scratch; prints what it cost and how well it translates.

  train.py ARCHITECTURE [--seed S] [--steps N] [--threads T] [--unfused]

ARCHITECTURE is hsnas's JSON. --unfused is for PyTorch before 2.4. The output is one line of JSON; its seconds are of the
training alone, batches included, without the corpus and the evaluation. Times are fair
only where OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE are not set.
"""

import argparse
import itertools
import json
import re
import time

import torch

import corpus
import model


def blas() -> str:
    """The library behind the matrix products."""
    name = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    if name and name[1] != "generic":
        return name[1]
    with open("/proc/self/maps") as maps:  # Debian's choice among its alternatives
        found = re.search(r"/lib(openblas|blis|blas)[^/]*\.so", maps.read())
    return found[1] if found else "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architecture", type=model.Architecture.from_json)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=model.Training.steps)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--unfused", action="store_true")
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    data = corpus.load()
    arch, settings = args.architecture, model.Training(steps=args.steps, fused_adam=not args.unfused)
    shapes = model.parameter_shapes(arch, data.source_words, data.target_words)
    net = model.Transformer(model.draw_parameters(shapes, args.seed))
    batches = model.shuffled_batches(data.train, settings.batch_size, model.FIRST_BATCH_SEED + args.seed)

    cpu, wall = time.process_time(), time.perf_counter()
    for _ in model.train(net, arch, itertools.islice(batches, args.steps), settings):
        pass
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    result = {
        "steps": args.steps,
        "cpu_seconds": round(cpu, 3),
        "wall_seconds": round(wall, 3),
        "cpu_seconds_per_step": round(cpu / args.steps, 6),
        "test_bleu": round(model.test_bleu(net, arch, data), 2),
        "valid_loss": round(model.mean_loss(net, arch, data.valid), 4),
        "torch": torch.__version__,
        "blas": blas(),
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
