#!/usr/bin/env python3
"""Writes front_golden.json: what pymoo 0.6.2 says of point sets, for the tests of this package.

  python3 -m pip install pymoo==0.6.2 && ./front_golden.py > front_golden.json

Ranks by its efficient non-dominated sort, crowding distances of the first front times the number of
objectives (pymoo takes their mean, Deb et al. their sum), -1 for infinity, and exact hypervolumes.
Points of the sets called ties lie on a grid, so that many are equal in some or all objectives;
crowding is left out there, as pymoo leaves equal points out of it.
"""

import json

import numpy as np
from pymoo.indicators.hv import HV
from pymoo.operators.survival.rank_and_crowding.metrics import calc_crowding_distance
from pymoo.util.nds.non_dominated_sorting import NonDominatedSorting

random = np.random.default_rng(1)
sets = []
for name, n, objectives in [("plane", 60, 2), ("space", 80, 3), ("four", 40, 4), ("ties", 90, 2), ("ties", 120, 3)]:
    points = random.integers(0, 8, (n, objectives)) / 8 if name == "ties" else random.random((n, objectives)).round(6)
    fronts = NonDominatedSorting().do(points)
    rank = np.empty(n, int)
    for i, front in enumerate(fronts):
        rank[front] = i
    reference = np.full(objectives, 0.9) + 0.05 * np.arange(objectives)  # some points lie beyond it
    entry = {"name": name, "points": points.tolist(), "rank": rank.tolist(), "reference": reference.tolist(), "hypervolume": float(HV(ref_point=reference)(points))}
    if name != "ties":
        front = fronts[0]
        distances = calc_crowding_distance(points[front]) * objectives
        entry["front"] = front.tolist()
        entry["crowding"] = [-1 if np.isinf(d) else float(d) for d in distances]
    sets.append(entry)
print("[\n" + ",\n".join(json.dumps(s) for s in sets) + "\n]")
