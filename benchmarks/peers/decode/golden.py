"""Writes internal/nn/testdata/beam.json: what the Transformer of this folder translates with
the weights that internal/nn is tested against, so that its beam search has an independent
answer. Only searches whose choices no rounding could turn are kept."""

import json
import os
import sys

import torch

from transformer import File, Transformer

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../internal/nn/testdata")


def main():
    torch.set_num_threads(1)
    out = []
    for number, case in enumerate(json.load(open(f"{here}/golden.json"))):
        weights = File(f"{here}/{case['weights']}", case["shared"])
        model = Transformer(case["architecture"], 13, weights, qkv=16, super_dim=12, shared=case["shared"])
        for src, prev, want in zip(case["src_tokens"], case["prev_tokens"], case["logits"]):
            check(model, [t for t in src if t != 1], prev, want)
        for src in ([3, 4, 5, 6], [7, 12, 9, 10, 11, 3, 8], [5]):
            for beam, limit in ((1, 7), (5, 9), (6, 4)):
                found = model.translate(torch.tensor(src), beam, limit)
                hypotheses = [{"tokens": t, "score": round(s, 5)} for s, t in found]
                scores = sorted(h["score"] for h in hypotheses)
                if all(b - a > 1e-4 for a, b in zip(scores, scores[1:])):
                    out.append({"case": number, "src": src, "beam": beam, "limit": limit, "hypotheses": hypotheses})
    with open(f"{here}/beam.json", "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(o) for o in out) + "\n]\n")
    print(f"{len(out)} searches", file=sys.stderr)


def check(model, src, prev, want):
    """The logits that numpy computed, token by token: the two references agree."""
    state = model.start(model.encode(torch.tensor(src)))
    for token, logits in zip(prev, want):
        if token == 1:
            break
        got = model.step(state, torch.tensor([token]), torch.tensor([0]))[0]
        worst = (got - torch.tensor(logits)).abs().max().item()
        assert worst < 1e-5, worst


if __name__ == "__main__":
    with torch.inference_mode():
        main()
