#!/usr/bin/env python3
"""Times the training step of a supernet in PyTorch: one uniformly sampled sub-network a step.

  supernet.py [--steps N] [--seed S]

The sub-networks are sliced out of the largest architecture's weights; parameters that a
step did not sample are left alone. The output is one line of JSON; its seconds are of the
steps alone, batches included, on one thread.
"""

import argparse
import json
import random
import time

import torch

import corpus
import model

DIMS, FFN, HEADS, SPANS, DEPTHS = (32, 64, 96), (64, 128, 256), (2, 4), (1, 2, 3), (1, 2, 3)


def sample(draw: random.Random) -> model.Architecture:
    depth = draw.choice(DEPTHS)

    def each(choices, n):
        return tuple(draw.choice(choices) for _ in range(n))

    return model.Architecture(
        encoder_embed_dim=draw.choice(DIMS),
        encoder_ffn_dim=each(FFN, 3),
        encoder_self_attn_heads=each(HEADS, 3),
        decoder_embed_dim=draw.choice(DIMS),
        decoder_ffn_dim=each(FFN, depth),
        decoder_self_attn_heads=each(HEADS, depth),
        decoder_cross_attn_heads=each(HEADS, depth),
        decoder_cross_attn_span=each(SPANS, depth),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(1)
    data = corpus.load()
    largest = model.Architecture(96, (256,) * 3, (4,) * 3, 96, (256,) * 3, (4,) * 3, (4,) * 3, (3,) * 3)
    shapes = model.parameter_shapes(largest, data.source_words, data.target_words)
    net = model.Transformer(model.draw_parameters(shapes, args.seed))
    parameters = list(net.parameters.values())
    optimizer = torch.optim.Adam(parameters, lr=2e-3, betas=(0.9, 0.98), eps=1e-9, fused=True)
    batches = model.shuffled_batches(data.train, 64, args.seed)
    draw = random.Random(args.seed)

    def step():
        optimizer.zero_grad(set_to_none=True)
        net.loss(sample(draw), next(batches), 0.1).backward()
        torch.nn.utils.clip_grad_norm_([p for p in parameters if p.grad is not None], 1.0)
        optimizer.step()

    for _ in range(10):
        step()
    cpu = time.process_time()
    for _ in range(args.steps):
        step()
    cpu = time.process_time() - cpu
    print(json.dumps({"steps": args.steps, "cpu_seconds": round(cpu, 3), "cpu_ms_per_step": round(1000 * cpu / args.steps, 2)}))


if __name__ == "__main__":
    main()
