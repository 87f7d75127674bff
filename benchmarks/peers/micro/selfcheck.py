#!/usr/bin/env python3
"""Checks the corpus against its hashes, and model.py against nas.py, of which it is a rewrite.

  selfcheck.py --reference FOLDER    the folder of nas.py and gen.py (shared/reference/microtask)

On several architectures, sliced ones among them: the same initial parameters from the same
seed, the same losses over training steps on the same shuffled batches, the same
validation loss, translations and BLEU; all to 1e-6, words exactly.
"""

import argparse
import hashlib
import itertools
import random
import sys

import torch

import corpus
import grammar
import model

TOLERANCE = 1e-6
STEPS = 12
SEED = 5

HASHES = {  # SHA-256 of the lines source<TAB>target
    "test": "0e48aaf8129073b7dbcb8483f60e409d3d4b3b2b092e96d5d1b2a9c49db4d2b1",
    "valid": "1fba9c7682460c0d5141df9abda3e5e5596ab90ba4cf6a7ff7eb94d0870fd021",
    "train": "60ddf12ea2ebdc07ba8cad3903b48a2d3d157b0558d7c10d0be05aac495b2a54",
}

# nas.py's name of a part: of the projections of an attention, and of all else.
PROJECTIONS = {"query": "q", "key": "k", "value": "v", "out": "o"}
PARTS = {"ffn.in": "1", "ffn.out": "2", "self_attention_norm": "a", "cross_attention_norm": "x", "ffn_norm": "f"}


def reference_name(name: str) -> str:
    """The name in nas.py of a parameter: decoder.1.cross_attention.key.bias is d1xk.b."""
    if name.endswith(".embedding"):
        return {"source": "es", "target": "et"}[name.split(".")[0]]
    part, kind = name.rsplit(".", 1)
    side, part = part.split(".", 1)
    if part == "norm":
        short = side[0] + "f"
    else:
        layer, part = part.split(".", 1)
        short = side[0] + layer
        if part in PARTS:
            short += PARTS[part]
        else:
            attention, projection = part.split(".")
            short += ("x" if attention == "cross_attention" else "") + PROJECTIONS[projection]
    if "norm" in name:
        return short + {"gain": ".g", "bias": ".o"}[kind]
    return short + {"weight": "", "bias": ".b"}[kind]


class Check:
    """Counts what was compared, and stops at the first difference."""

    def __init__(self):
        self.worst = 0.0

    def close(self, what: str, got: float, want: float):
        difference = abs(got - want) / max(1.0, abs(want))
        self.worst = max(self.worst, difference)
        if not difference <= TOLERANCE:
            sys.exit(f"selfcheck: {what}: {got!r}, reference {want!r}")

    def same(self, what: str, got, want):
        if got != want:
            sys.exit(f"selfcheck: {what} differs from the reference")


def check_corpus(check: Check):
    seen: set[str] = set()
    for name, n, seed in (
        ("test", corpus.TEST_SENTENCES, corpus.TEST_SEED),
        ("valid", corpus.VALID_SENTENCES, corpus.VALID_SEED),
        ("train", corpus.TRAIN_SENTENCES, corpus.TRAIN_SEED),
    ):
        lines = "\n".join(f"{' '.join(s)}\t{' '.join(t)}" for s, t in grammar.corpus(n, seed, seen))
        check.same(f"the {name} corpus", hashlib.sha256(lines.encode()).hexdigest(), HASHES[name])


def check_model(check: Check, nas, data: corpus.Corpus, reference_data, largest: dict, sampled: dict):
    """Trains sampled, as a slice of largest, in both."""
    arch = model.Architecture.from_reference(sampled)
    shapes = model.parameter_shapes(
        model.Architecture.from_reference(largest), data.source_words, data.target_words
    )
    net = model.Transformer(model.draw_parameters(shapes, SEED))
    reference = nas.Model(largest, reference_data.nvs, reference_data.nvt, SEED)
    check.same("the order of parameters", [reference_name(k) for k in net.parameters], list(reference.p))
    for name, value in net.parameters.items():
        want = reference.p[reference_name(name)]
        check.same(f"the shape of {name}", value.shape, want.shape)
        check.close(f"initial {name}", (value - want).abs().max().item(), 0.0)

    settings = model.Training()
    ours = model.shuffled_batches(data.train, settings.batch_size, model.FIRST_BATCH_SEED + SEED)
    theirs = nas.batches(reference_data.tr, settings.batch_size, random.Random(1000 + SEED))
    parameters = list(reference.p.values())
    optimizer = torch.optim.Adam(parameters, betas=(0.9, 0.98), eps=1e-9)
    # Both start from the very same numbers; what differs then is the arithmetic alone.
    with torch.no_grad():
        for name, value in net.parameters.items():
            value.copy_(reference.p[reference_name(name)])
    for step, (got, norm) in enumerate(model.train(net, arch, itertools.islice(ours, STEPS), settings), 1):
        for group in optimizer.param_groups:
            group["lr"] = nas.lr_at(step, 500, 4e-3, 100)
        optimizer.zero_grad(set_to_none=True)
        want = reference.loss(sampled, next(theirs))
        want.backward()
        wanted_norm = torch.nn.utils.clip_grad_norm_([p for p in parameters if p.grad is not None], 1.0)
        optimizer.step()
        check.close(f"loss of step {step}", got, want.item())
        check.close(f"gradient norm of step {step}", norm, wanted_norm.item())

    check.close("validation loss", model.mean_loss(net, arch, data.valid), nas.vloss(reference, sampled, reference_data))
    source = model.make_batch(data.test[:50]).source
    theirs = [words[: words.index(nas.EOS)] if nas.EOS in words else words for words in reference.greedy(sampled, source)]
    check.same("greedy decoding", net.greedy(arch, source), theirs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", required=True, metavar="FOLDER")
    folder = parser.parse_args().reference
    sys.dont_write_bytecode = True
    sys.path.insert(0, folder)
    import nas

    torch.set_num_threads(1)
    check = Check()
    check_corpus(check)
    data, reference_data = corpus.load(), nas.Data(corpus.TRAIN_SENTENCES, hi=24)
    check.same("the vocabulary", data.target_vocabulary, reference_data.vt)
    check.same("the word ids", [(p.source, p.target) for p in data.train], reference_data.tr)
    r = random.Random(SEED)
    for _ in range(3):
        sampled = nas.sample(r)
        check_model(check, nas, data, reference_data, sampled, sampled)
        check_model(check, nas, data, reference_data, nas.biggest(), sampled)
    hypotheses = [p.target[: 3 + i % 9] + p.target[-5:-1] for i, p in enumerate(data.test)]
    references = [p.target[:-1] for p in data.test]
    check.close("BLEU", model.bleu(hypotheses, references), nas.bleu(hypotheses, references))
    print(f"selfcheck: the corpus and 6 models agree with the reference; largest difference {check.worst:.1e}")


if __name__ == "__main__":
    main()
