"""Serves a model with llama.cpp's server on a free port of the loopback interface.

    python server.py MODEL [--grammar GBNF] [--context TOKENS] [--key KEY] [--port PORT]

Prints its address once it answers, and ends when its standard input does: it
cannot outlive whoever started it.
"""

import argparse
import os
import sys

import xllamacpp


def parameters(options):
    p = xllamacpp.CommonParams()
    p.model.path, p.model_alias = options.model, {"random-llama"}
    p.hostnames, p.port = ["127.0.0.1"], options.port
    p.n_parallel, p.n_ctx = 2, 2 * options.context  # of both slots together
    # One thread: several wait for each other by spinning, which on busy cores takes
    # several times as long.
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 1
    p.n_predict = 64  # a model that babbles is cut off
    p.cache_prompt = False  # every prompt is read whole, so that tokens can be counted
    p.endpoint_metrics = True
    p.warmup = False
    if options.key:
        p.api_keys = [options.key]
    if options.grammar:
        p.sampling.grammar = xllamacpp.CommonGrammar(xllamacpp.common_grammar_type.COMMON_GRAMMAR_TYPE_USER, options.grammar)
    return p


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--grammar", default="")
    parser.add_argument("--context", type=int, default=16384)
    parser.add_argument("--key", default="")
    parser.add_argument("--port", type=int, default=0)
    server = xllamacpp.Server(parameters(parser.parse_args()))
    print(server.listening_address, flush=True)
    sys.stdin.read()
    os._exit(0)  # answers under way are nobody's any more


if __name__ == "__main__":
    main()
