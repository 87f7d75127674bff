"""Predictions of scikit-learn's gradient-boosted trees, for trees_test.go.

    $(checks/python.sh) internal/predictor/testdata/trees_golden.py > internal/predictor/testdata/trees_golden.json

Features and targets are drawn from continuous distributions, and nodes are large
enough that no two features part one alike: the trees are determined, which the
script checks by scikit-learn's own random order of features. Features are
rounded to float32, which is what scikit-learn compares.
"""

import json

import numpy as np
from sklearn.ensemble import GradientBoostingRegressor

SETTINGS = [
    {"n_estimators": 100, "max_depth": 3, "min_samples_leaf": 3, "learning_rate": 0.1},
    {"n_estimators": 40, "max_depth": 4, "min_samples_leaf": 8, "learning_rate": 0.3},
    {"n_estimators": 25, "max_depth": 1, "min_samples_leaf": 1, "learning_rate": 1.0},
]

rng = np.random.default_rng(11)
x = rng.random((120, 4)).astype(np.float32).astype(float)
y = 25 + 2 * np.log(0.2 + x[:, 0]) + x[:, 1] * x[:, 2] + 0.1 * rng.standard_normal(120)
asked = rng.random((15, 4)).astype(np.float32).astype(float)
cases = []
for s in SETTINGS:
    ways = [GradientBoostingRegressor(random_state=k, **s).fit(x, y).predict(asked) for k in range(5)]
    assert np.ptp(ways, axis=0).max() < 1e-12, s
    cases.append({**s, "predictions": ways[0].tolist()})
print(json.dumps({"x": x.tolist(), "y": y.tolist(), "asked": asked.tolist(), "cases": cases}))
