#!/usr/bin/env python3
"""Writes internal/micro/testdata/losses.json: what a trainer must reproduce from the same start.

  golden.py [FILE]

Nothing of the weights or batches is stored; both follow from these rules.

Parameters. One stream of splitmix64 (grammar.SplitMix64, "parameter_seed") fills the parameters in
the order of "parameters", each row by row. With u the next number in [0, 1), computed in
float64 and then rounded to float32:

  .weight      (2u - 1) sqrt(6 / (rows + columns))
  .embedding   (2u - 1) / sqrt(columns)
  .gain        1 + 0.1 (2u - 1)
  .bias        0.1 (2u - 1)

Batches. Step t, from 1, trains on the sentences 64 (t - 1) ... 64 t - 1 of the training set
in the order of the corpus, padded to the longest.

Training. Setting A: Adam (0.9, 0.98, 1e-9), global-norm clip 1.0, label smoothing 0.1,
rates of 500 steps with 100 of warm-up to 4e-3. As in PyTorch, clipping multiplies by
min(1, 1 / (norm + 1e-6)), and Adam's epsilon is added to the corrected square root.

LayerNorm's epsilon is 1e-5. Stacked projections (queries, keys, values) are these matrices
one below another.

Every number is given for float32 and for float64 (from the same float32 start), so that a
test sees how far float32 itself is off. Fields of "float32" and "float64":

  losses            label-smoothed loss of each step
  gradient_norms    before clipping
  after             states after the step it names, 0 being the start:
    valid_loss      unsmoothed, for each target word of the first 100 validation sentences
    sum, sum_of_squares            over all parameters but the key biases
    parameter_sums                 over each parameter, in the order of "parameters"
    parameter_sums_of_squares
    greedy          target ids for the first 10 test sentences, each decoded alone: without
                    EOS, PAD kept, at most len(source) + 8 steps, len counting EOS
    greedy_margin   the least lead of a chosen word's logit over the next one; where it is
                    small, other arithmetic may choose otherwise

Key biases are left out of the sums: they move all scores of a query alike, so their true
gradient is zero, and Adam makes steps of full size out of the rounding errors. For the same
reason float32 and float64 drift apart: their losses agree to 3e-7 at steps up to 30, 2e-6 up
to 60, 1e-3 up to 100, 4e-3 up to 150 (relative).
"""

import json
import math
import pathlib
import re
import sys

import torch

import corpus
import grammar
import model

PARAMETER_SEED = 6  # with it no word of a greedy decode is a close call, up to step 50
STEPS = 150
DETAILED_STEPS = 20  # of which every loss is recorded; then every tenth
STATE_STEPS = (0, 20, 50)
VALID_SENTENCES, TEST_SENTENCES = 100, 10
SETTINGS = model.Training()

ARCHITECTURES = {
    "wide decoder": model.Architecture(
        encoder_embed_dim=64,
        encoder_ffn_dim=(128, 256, 64),
        encoder_self_attn_heads=(2, 4, 4),
        decoder_embed_dim=96,
        decoder_ffn_dim=(256, 64),
        decoder_self_attn_heads=(2, 4),
        decoder_cross_attn_heads=(4, 2),
        decoder_cross_attn_span=(3, 2),
    ),
    "wide encoder": model.Architecture(
        encoder_embed_dim=96,
        encoder_ffn_dim=(64, 128, 256),
        encoder_self_attn_heads=(4, 2, 4),
        decoder_embed_dim=32,
        decoder_ffn_dim=(128,),
        decoder_self_attn_heads=(4,),
        decoder_cross_attn_heads=(2,),
        decoder_cross_attn_span=(1,),
    ),
}


def fill(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """The parameters that the header describes, in float32."""
    stream = grammar.SplitMix64(PARAMETER_SEED)
    filled = {}
    for name, shape in shapes.items():
        if name.endswith(".weight"):
            centre, scale = 0.0, math.sqrt(6 / sum(shape))
        elif name.endswith(".embedding"):
            centre, scale = 0.0, 1 / math.sqrt(shape[1])
        else:
            centre, scale = float(name.endswith(".gain")), 0.1
        values = [centre + (2 * stream.uniform() - 1) * scale for _ in range(math.prod(shape))]
        filled[name] = torch.tensor(values, dtype=torch.float64).reshape(shape).float()
    return filled


@torch.no_grad()
def greedy_margin(net: model.Transformer, arch: model.Architecture, pair: corpus.Pair, words: list[int]) -> float:
    """By how much the words, and the EOS that ended them, were chosen."""
    source = torch.tensor([pair.source])
    steps = min(len(words) + 1, len(pair.source) + model.EXTRA_STEPS)
    prefix = torch.tensor([[corpus.BOS] + words])[:, :steps]
    best = net.decode(arch, *net.encode(arch, source), prefix)[0].topk(2).values
    return float((best[:, 0] - best[:, 1]).min())


def state(net: model.Transformer, arch: model.Architecture, data: corpus.Corpus) -> dict:
    with torch.no_grad():
        sums = {k: float(v.double().sum()) for k, v in net.parameters.items()}
        squares = {k: float((v.double() ** 2).sum()) for k, v in net.parameters.items()}
    pairs = data.test[:TEST_SENTENCES]
    greedy = [net.greedy(arch, torch.tensor([p.source]))[0] for p in pairs]
    return {
        "valid_loss": model.mean_loss(net, arch, data.valid[:VALID_SENTENCES]),
        "sum": sum(v for k, v in sums.items() if not k.endswith(".key.bias")),
        "sum_of_squares": sum(v for k, v in squares.items() if not k.endswith(".key.bias")),
        "parameter_sums": list(sums.values()),
        "parameter_sums_of_squares": list(squares.values()),
        "greedy": greedy,
        "greedy_margin": min(greedy_margin(net, arch, p, w) for p, w in zip(pairs, greedy)),
    }


def trajectory(arch: model.Architecture, start: dict, data: corpus.Corpus, dtype: torch.dtype) -> dict:
    """Trains from the start in one precision, and records what the header lists."""
    net = model.Transformer({k: v.to(dtype) for k, v in start.items()})
    size = SETTINGS.batch_size
    batches = (model.make_batch(data.train[i * size : (i + 1) * size]) for i in range(STEPS))
    record: dict = {"losses": [], "gradient_norms": [], "after": [{"step": 0} | state(net, arch, data)]}
    for step, (loss, norm) in enumerate(model.train(net, arch, batches, SETTINGS), 1):
        if step in recorded_steps():
            record["losses"].append(loss)
            record["gradient_norms"].append(norm)
        if step in STATE_STEPS:
            record["after"].append({"step": step} | state(net, arch, data))
    return record


def recorded_steps() -> list[int]:
    return [t for t in range(1, STEPS + 1) if t <= DETAILED_STEPS or t % 10 == 0]


def rounded(x):
    """Floats to 9 significant digits, which hold a float32 exactly."""
    if isinstance(x, float):
        return float(f"{x:.9g}")
    if isinstance(x, dict):
        return {k: rounded(v) for k, v in x.items()}
    return [rounded(v) for v in x] if isinstance(x, list) else x


def main():
    root = pathlib.Path(__file__).resolve().parents[3]
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "internal/micro/testdata/losses.json"
    torch.set_num_threads(1)
    data = corpus.load()
    cases = []
    for name, arch in ARCHITECTURES.items():
        shapes = model.parameter_shapes(arch, data.source_words, data.target_words)
        start = fill(shapes)
        case = {
            "name": name,
            "architecture": arch.fields(),
            "parameters": [{"name": k, "shape": list(v)} for k, v in shapes.items()],
        }
        for precision, dtype in (("float32", torch.float32), ("float64", torch.float64)):
            case[precision] = trajectory(arch, start, data, dtype)
        cases.append(case)
    golden = {
        "made_by": "benchmarks/peers/micro/golden.py, which says what the fields mean; do not edit",
        "torch": torch.__version__,
        "parameter_seed": PARAMETER_SEED,
        "source_words": data.source_words,
        "target_words": data.target_words,
        "steps": recorded_steps(),
        "cases": cases,
    }
    text = json.dumps(rounded(golden), indent=1)
    # Lists of numbers, and the parameters' entries, on one line each.
    flat = re.compile(r"\[[^\[\]{}\"]*\]|\{\s*\"name\": \"[^\"]*\",\s*\"shape\": \[[^\]]*\]\s*\}")
    text = flat.sub(lambda m: re.sub(r"\s+", " ", m[0]).replace("[ ", "[").replace(" ]", "]"), text)
    path.write_text(text + "\n")


if __name__ == "__main__":
    main()
