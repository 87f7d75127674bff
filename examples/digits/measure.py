"""Measures the table of the digits example: accuracy and cost of small networks.

    python examples/digits/measure.py examples/digits/scores.csv

needs scikit-learn alone (the version in checks/requirements.txt; its bundled
digits: 1,797 images of 8 x 8 pixels) and takes about two minutes on one core.
The networks are trained for two epochs only, so that the choices matter.
Accuracies repeat exactly on the same library versions; microseconds do not.
"""

import csv
import os
import random
import sys
import time
import warnings

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when NumPy is first imported
os.environ["OMP_NUM_THREADS"] = "1"

import numpy
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

ARCHITECTURES = 72
SEEDS = range(8)  # of the weights and the order of the images; the score is the mean
EPOCHS = 2
WIDTHS = [16, 32, 64, 128]
CHOICES = {
    "activation": ["relu", "tanh", "logistic"],
    "learning_rate": [0.001, 0.003, 0.01, 0.03],
    "batch_size": [8, 32, 128],
}
BATCH = 256  # images in one timed prediction
ROUNDS = 60  # timings of each network, interleaved, of which the median counts


def sample(generator):
    """One architecture: a depth of 1 to 3, a width for each layer, the rest."""
    widths = [generator.choice(WIDTHS) for _ in range(generator.randint(1, 3))]
    return {"layer_width": widths} | {name: generator.choice(c) for name, c in CHOICES.items()}


def train(architecture, seed, images, labels):
    network = MLPClassifier(
        hidden_layer_sizes=architecture["layer_width"],
        activation=architecture["activation"],
        learning_rate_init=architecture["learning_rate"],
        batch_size=architecture["batch_size"],
        max_iter=EPOCHS,
        random_state=seed,
    )
    return network.fit(images, labels)


def parameters(network):
    return sum(w.size for w in network.coefs_) + sum(b.size for b in network.intercepts_)


def microseconds(networks, images):
    """Median time of one prediction of each network. Interleaved, so that a slow
    moment of the machine falls on all of them alike."""
    times = numpy.empty((ROUNDS, len(networks)))
    for r in range(ROUNDS):
        for i, network in enumerate(networks):
            start = time.perf_counter()
            network.predict(images)
            times[r, i] = time.perf_counter() - start
    return numpy.median(times[ROUNDS // 10 :], axis=0) * 1e6


def main(path):
    warnings.simplefilter("ignore", ConvergenceWarning)  # two epochs are meant
    images, labels = load_digits(return_X_y=True)
    x, x_valid, y, y_valid = train_test_split(
        images / 16, labels, test_size=0.5, random_state=0, stratify=labels
    )
    generator = random.Random(1)
    architectures, rows, networks = [], [], []
    while len(architectures) < ARCHITECTURES:
        a = sample(generator)
        if a not in architectures:
            architectures.append(a)
    for a in architectures:
        trained = [train(a, seed, x, y) for seed in SEEDS]
        scores = [100 * n.score(x_valid, y_valid) for n in trained]
        networks.append(trained[0])
        rows.append([*a.values(), f"{numpy.mean(scores):.3f}", parameters(trained[0])])
    for row, us in zip(rows, microseconds(networks, x_valid[:BATCH])):
        row.append(f"{us:.1f}")
    with open(path, "w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow([*architectures[0], "score", "parameters", "predict_us"])
        writer.writerows(rows)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: measure.py FILE.csv")
    main(sys.argv[1])
