#!/usr/bin/env python3
"""pymoo's NSGA-II on the predictors that hsnas searches with, through onnxruntime.

  race.py FOLDER SEED

FOLDER has BLEU.onnx and latency_ms.onnx, and problem.json: the space, the settings, the reference of
the hypervolume, and architectures with the predictions that both sides must agree on. Architectures
are vectors of whole numbers, a gene for each value, those of layers that are not there idle; operators
are those that pymoo's documentation gives for whole numbers. Writes one line of JSON: seconds of the
search alone (of the clock and of the processor), evaluations, and the hypervolume of the front of all
that was evaluated.
"""

import json
import pathlib
import sys
import time

import numpy as np
import onnxruntime
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import Problem
from pymoo.indicators.hv import HV
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.optimize import minimize
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting


class Space:
    """The genes of a space and HAT's features of them."""

    def __init__(self, hyperparameters):
        self.hyperparameters, self.offsets, self.genes = hyperparameters, [], 0
        self.index = {h["name"]: i for i, h in enumerate(hyperparameters)}
        for h in hyperparameters:
            self.offsets.append(self.genes)
            h["choices"] = np.array(h["choices"], float)
            layers = h.get("layers")
            h["genes"] = int(hyperparameters[self.index[layers]]["choices"].max()) if layers else 1
            self.genes += h["genes"]
        self.upper = np.concatenate([np.full(h["genes"], len(h["choices"]) - 1) for h in hyperparameters])

    def values(self, genomes, i):
        h = self.hyperparameters[i]
        return h["choices"][genomes[:, self.offsets[i] : self.offsets[i] + h["genes"]]]

    def features(self, genomes):
        """Each value, or its mean over the layers that are there, as a share of the largest choice."""
        columns = []
        for i, h in enumerate(self.hyperparameters):
            values = self.values(genomes, i)
            if h.get("layers"):
                depth = self.values(genomes, self.index[h["layers"]])
                there = np.arange(h["genes"])[None, :] < depth
                mean = (values * there).sum(1) / depth[:, 0]
            else:
                mean = values[:, 0]
            columns.append(mean / h["choices"].max())
        return np.stack(columns, 1).astype(np.float32)

    def genome(self, architecture):
        out = np.zeros(self.genes, int)
        for i, h in enumerate(self.hyperparameters):
            lists = [g for g in self.hyperparameters if g.get("layers") == h["name"]]
            value = len(architecture[lists[0]["name"]]) if lists else architecture[h["name"]]
            for layer, x in enumerate(value if isinstance(value, list) else [value]):
                out[self.offsets[i] + layer] = list(h["choices"]).index(x)
        return out


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    s = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = s.get_inputs()[0].name
    return lambda rows: s.run(None, {name: rows})[0][:, 0].astype(float)


class Search(Problem):
    def __init__(self, space, quality, latency):
        super().__init__(n_var=space.genes, n_obj=2, xl=np.zeros(space.genes, int), xu=space.upper, vtype=int)
        self.space, self.quality, self.latency, self.all = space, quality, latency, []

    def _evaluate(self, x, out, *args, **kwargs):
        rows = self.space.features(x)
        out["F"] = np.stack([-self.quality(rows), self.latency(rows)], 1)
        self.all.append(out["F"])


def main(folder, seed):
    spec = json.loads((folder / "problem.json").read_text())
    space = Space(spec["hyperparameters"])
    quality, latency = session(folder / "BLEU.onnx"), session(folder / "latency_ms.onnx")
    rows = space.features(np.array([space.genome(c["architecture"]) for c in spec["checks"]]))
    for got, key in ((quality(rows), "quality"), (latency(rows), "latency")):
        want = np.array([c[key] for c in spec["checks"]])
        if not np.allclose(got, want, rtol=1e-4):
            sys.exit(f"race: {key}: expected {want}, got {got}")
    repair = RoundingRepair()
    algorithm = NSGA2(
        pop_size=spec["population"], n_offsprings=spec["children"], sampling=IntegerRandomSampling(), eliminate_duplicates=True,
        crossover=SBX(prob=1.0, eta=3.0, vtype=float, repair=repair), mutation=PM(prob=1.0, eta=3.0, vtype=float, repair=repair),
    )
    problem = Search(space, quality, latency)
    start, processor = time.perf_counter(), time.process_time()
    minimize(problem, algorithm, ("n_gen", spec["generations"]), seed=seed, verbose=False)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    values = np.concatenate(problem.all)
    front = values[NonDominatedSorting().do(values, only_non_dominated_front=True)]
    volume = float(HV(ref_point=np.array(spec["reference"]))(front))
    print(json.dumps({"seconds": seconds, "processor": processor, "evaluations": len(values), "hypervolume": volume}))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
