#!/usr/bin/env python3
"""Checks exported models against tools that share no code with hsnas.

  onnx_models.py RUN                          a run's folder: its predictors, and the models that it kept
  onnx_models.py check DIR [--weights FILE]   one exported folder
  onnx_models.py export HSNAS                 draws weights, runs "HSNAS export" on them, checks the result
  onnx_models.py golden FOLDER                writes the golden values of internal/nn

Every graph goes through onnx.checker (full_check) and Python's onnxruntime; decoding step
by step must give the scorer's logits; with --weights the logits must be those of a
Transformer written here in numpy from docs/hat_model.md. Needs numpy, onnx, onnxruntime.
"""

import argparse
import json
import math
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np

PAD, EOS = 1, 2
TOLERANCE = 1e-4
# Half precision has 11 bits; of 8 bits, whose scales depend on the rows of a run, nothing is asked.
OTHER_TOLERANCES = {"fp16": 1e-2, "int8": math.inf}


# --- safetensors -----------------------------------------------------------------------


def write_safetensors(path, tensors):
    header, at = {}, 0
    kinds = {np.dtype(np.float32): "F32", np.dtype(np.float16): "F16"}
    for name, x in tensors.items():
        header[name] = {"dtype": kinds[x.dtype], "shape": list(x.shape), "data_offsets": [at, at + x.nbytes]}
        at += x.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for x in tensors.values():
            f.write(np.ascontiguousarray(x).tobytes())


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    (n,) = struct.unpack("<Q", data[:8])
    kinds = {"F32": np.float32, "F16": np.float16}
    out = {}
    for name, t in json.loads(data[8 : 8 + n]).items():
        if name != "__metadata__":
            a, b = t["data_offsets"]
            out[name] = np.frombuffer(data[8 + n + a : 8 + n + b], kinds[t["dtype"]]).reshape(t["shape"]).astype(np.float32)
    return out


# --- the Transformer in numpy ----------------------------------------------------------


class Reference:
    """HAT's SubTransformer over a dict of weights, the supernet's or the sub-network's."""

    def __init__(self, weights, arch, qkv=512, super_dim=640):
        self.w, self.a, self.qkv, self.super_dim = weights, arch, qkv, super_dim

    def positions(self, tokens, dim):
        half = self.super_dim // 2
        f = np.exp(-math.log(10000) / (half - 1) * np.arange(half))
        real = tokens != PAD
        number = (np.cumsum(real, axis=1) + PAD) * real
        angle = number[..., None] * f
        rows = np.concatenate([np.sin(angle), np.cos(angle)], -1) * real[..., None]
        return rows[..., :dim]

    def table(self, side):
        for name in (side, "decoder", "encoder"):
            if f"{name}.embed_tokens.weight" in self.w:
                return self.w[f"{name}.embed_tokens.weight"]
        raise KeyError("embed_tokens")

    def embed(self, tokens, side):
        dim = self.a[f"{side}_embed_dim"]
        return self.table(side)[:, :dim][tokens] * math.sqrt(dim) + self.positions(tokens, dim)

    def norm(self, x, prefix):
        d = x.shape[-1]
        mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(var + 1e-5) * self.w[prefix + ".weight"][:d] + self.w[prefix + ".bias"][:d]

    def linear(self, x, prefix, rows):
        return x @ self.w[prefix + ".weight"][:rows, : x.shape[-1]].T + self.w[prefix + ".bias"][:rows]

    def attention(self, x, memory, prefix, heads, hidden):
        w, bias, n = self.w[prefix + ".in_proj_weight"], self.w[prefix + ".in_proj_bias"], self.qkv
        parts = []
        for i, source in enumerate((x, memory, memory)):
            y = source @ w[i * n : (i + 1) * n, : source.shape[-1]].T + bias[i * n : (i + 1) * n]
            parts.append(y.reshape(*y.shape[:2], heads, n // heads).transpose(0, 2, 1, 3))
        q, k, v = parts
        scores = (q * (n // heads) ** -0.5) @ k.transpose(0, 1, 3, 2)
        scores = np.where(hidden, -np.inf, scores)
        p = np.exp(scores - scores.max(-1, keepdims=True))
        y = (p / p.sum(-1, keepdims=True)) @ v
        y = y.transpose(0, 2, 1, 3).reshape(*x.shape[:2], n)
        return self.norm(x + self.linear(y, prefix + ".out_proj", x.shape[-1]), prefix + "_layer_norm")

    def ffn(self, x, prefix, width):
        h = np.maximum(self.linear(x, prefix + ".fc1", width), 0)
        return self.norm(x + self.linear(h, prefix + ".fc2", x.shape[-1]), prefix + ".final_layer_norm")

    def logits(self, src, prev):
        a, padded = self.a, (src == PAD)[:, None, None, :]
        x, outputs = self.embed(src, "encoder"), []
        for i, width in enumerate(a["encoder_ffn_dim"]):
            prefix = f"encoder.layers.{i}"
            x = self.attention(x, x, prefix + ".self_attn", a["encoder_self_attn_heads"][i], padded)
            x = self.ffn(x, prefix, width)
            outputs.append(x)
        t = prev.shape[1]
        hidden = np.triu(np.ones((t, t), bool), 1)[None, None] | (prev == PAD)[:, None, None, :]
        x = self.embed(prev, "decoder")
        for i, width in enumerate(a["decoder_ffn_dim"]):
            prefix, span = f"decoder.layers.{i}", a["decoder_cross_attn_span"][i]
            x = self.attention(x, x, prefix + ".self_attn", a["decoder_self_attn_heads"][i], hidden)
            memory = np.concatenate([outputs[-1 - j] for j in range(span)], 1)
            mask = np.concatenate([padded] * span, -1)
            x = self.attention(x, memory, prefix + ".encoder_attn", a["decoder_cross_attn_heads"][i], mask)
            x = self.ffn(x, prefix, width)
        return x @ self.table("decoder")[:, : x.shape[-1]].T


def draw(rng, vocabulary, e, d, enc_ffn, dec_ffn, qkv, shared, dtype=np.float32):
    """Weights of a network of these dimensions; a list of FFN widths has one per layer."""
    w = {}

    def matrix(name, rows, cols):
        w[name] = (rng.standard_normal((rows, cols), np.float32) / math.sqrt(cols)).astype(dtype)

    def vector(name, n, centre=0.0):
        w[name] = (centre + 0.1 * rng.standard_normal(n, np.float32)).astype(dtype)

    def attention(prefix, cols, out):
        matrix(prefix + ".in_proj_weight", 3 * qkv, cols)
        vector(prefix + ".in_proj_bias", 3 * qkv)
        matrix(prefix + ".out_proj.weight", out, qkv)
        vector(prefix + ".out_proj.bias", out)
        vector(prefix + "_layer_norm.weight", out, 1.0)
        vector(prefix + "_layer_norm.bias", out)

    for side, dim, widths in (("encoder", e, enc_ffn), ("decoder", d, dec_ffn)):
        if side == "decoder" or not shared:
            matrix(f"{side}.embed_tokens.weight", vocabulary, dim if not shared else max(e, d))
        for i, width in enumerate(widths):
            prefix = f"{side}.layers.{i}"
            attention(prefix + ".self_attn", dim, dim)
            if side == "decoder":
                attention(prefix + ".encoder_attn", max(e, d), dim)
            matrix(prefix + ".fc1.weight", width, dim)
            vector(prefix + ".fc1.bias", width)
            matrix(prefix + ".fc2.weight", dim, width)
            vector(prefix + ".fc2.bias", dim)
            vector(prefix + ".final_layer_norm.weight", dim, 1.0)
            vector(prefix + ".final_layer_norm.bias", dim)
    return w


def sentences(rng, vocabulary, lengths, begin=None):
    out = np.full((len(lengths), max(lengths)), PAD, np.int64)
    for row, n in zip(out, lengths):
        row[:n] = rng.integers(3, vocabulary, n)
        if begin is not None:
            row[0] = begin
    return out


# --- checks of a folder ----------------------------------------------------------------


def decode_steps(session, src, prev):
    """Logits of decoder_step.onnx for every target token, in turn."""
    encoded = dict(zip(names(session["encoder"]), session["encoder"].run(None, {"src_tokens": src})))
    cross = dict(zip(names(session["decoder_init"]), session["decoder_init"].run(None, encoded)))
    step, batch = session["decoder_step"], len(prev)
    caches = {i.name: np.zeros([batch, i.shape[1], 0, i.shape[3]], np.float32) for i in step.get_inputs() if i.name.startswith("past_")}
    out = []
    for t in range(prev.shape[1]):
        feed = {"prev_token": prev[:, t : t + 1], "position": np.array([t]), "beam_index": np.arange(batch), **caches, **cross}
        got = dict(zip(names(step), step.run(None, feed)))
        out.append(got["logits"])
        caches = {name.replace("present", "past"): x for name, x in got.items() if name.startswith("present_")}
    return np.stack(out, 1)


def names(session):
    return [o.name for o in session.get_outputs()]


def check(folder, weights=None):
    import onnx
    import onnxruntime

    folder = pathlib.Path(folder)
    model = json.loads((folder / "model.json").read_text())
    session = {}
    for kind in ("encoder", "decoder_init", "decoder_step", "scorer"):
        path = str(folder / f"{kind}.onnx")
        onnx.checker.check_model(path, full_check=True)
        session[kind] = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(7)
    src = sentences(rng, model["vocabulary"], [9, 4, 1])
    prev = sentences(rng, model["vocabulary"], [3, 8, 5], begin=EOS)
    (scored,) = session["scorer"].run(None, {"src_tokens": src, "prev_tokens": prev})
    real = prev != PAD
    worst = {"step by step": np.abs(decode_steps(session, src, prev) - scored)[real].max()}
    if weights is not None:
        reference = Reference(weights, model["architecture"]).logits(src, prev)
        worst["numpy"] = np.abs(reference - scored)[real].max()
    tolerance = OTHER_TOLERANCES.get(model.get("precision"), TOLERANCE)
    for name, error in worst.items():
        print(f"{folder.name}: scorer against {name}: largest difference {error:.2e} of logits up to {np.abs(scored[real]).max():.1f}")
        if not error <= tolerance * max(1, np.abs(scored[real]).max()):
            sys.exit(f"{folder}: {name} differs by {error}")


def check_predictor(path):
    """A predictor is a function of each row alone, finite, with the metadata that hsnas reads."""
    import onnx
    import onnxruntime

    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    columns = metadata["hsnas.columns"].split(",")
    (given,) = session.get_inputs()
    if (given.name, given.shape[1]) != ("features", len(columns)):
        sys.exit(f"{path}: input {given.name} {given.shape} for {len(columns)} columns")
    x = np.random.default_rng(5).random((64, len(columns)), np.float32)
    (y,) = session.run(["prediction"], {"features": x})
    alone = np.concatenate([session.run(["prediction"], {"features": row[None]})[0] for row in x])
    error = np.abs(y - alone).max()
    if y.shape != (64, 1) or not np.isfinite(y).all() or not error <= TOLERANCE * max(1, np.abs(y).max()):
        sys.exit(f"{path}: {y.shape} predictions, rows alone differ by {error}")
    print(f"{path}: {metadata['hsnas.target']} from {len(columns)} features, a batch equals its rows to {error:.1e}")


def check_run(run):
    predictors, models = sorted((run / "export").glob("*.onnx")), sorted(run.glob("*/models/*/model.json"))
    for path in predictors:
        check_predictor(path)
    for path in models:
        check(path.parent)
    print(f"{run}: {len(predictors)} predictors and {len(models)} kept models checked")


# --- golden values and whole exports ---------------------------------------------------

# Tiny architectures of a supernet with dimension 12, projections of 16 and FFNs of 20.
GOLDEN = [
    {"encoder_embed_dim": 12, "encoder_ffn_dim": [20, 8, 12], "encoder_self_attn_heads": [4, 2, 1], "decoder_embed_dim": 12,
     "decoder_ffn_dim": [12, 20, 8], "decoder_self_attn_heads": [2, 4, 1], "decoder_cross_attn_heads": [4, 1, 2], "decoder_cross_attn_span": [1, 2, 3]},
    {"encoder_embed_dim": 8, "encoder_ffn_dim": [8, 20, 8], "encoder_self_attn_heads": [2, 2, 4], "decoder_embed_dim": 12,
     "decoder_ffn_dim": [8, 12], "decoder_self_attn_heads": [4, 2], "decoder_cross_attn_heads": [2, 4], "decoder_cross_attn_span": [3, 1]},
    {"encoder_embed_dim": 12, "encoder_ffn_dim": [8, 20, 8], "encoder_self_attn_heads": [2, 2, 4], "decoder_embed_dim": 4,
     "decoder_ffn_dim": [20], "decoder_self_attn_heads": [2], "decoder_cross_attn_heads": [2], "decoder_cross_attn_span": [2]},
]


def golden(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    cases = []
    for shared in (True, False):
        rng = np.random.default_rng(1)
        weights = draw(rng, 13, 12, 12, [20] * 3, [20] * 3, 16, shared)
        file = "shared.safetensors" if shared else "separate.safetensors"
        write_safetensors(folder / file, weights)
        for arch in GOLDEN:
            src, prev = sentences(rng, 13, [5, 2, 1]), sentences(rng, 13, [2, 6, 4], begin=EOS)
            logits = Reference(weights, arch, qkv=16, super_dim=12).logits(src, prev)
            logits[prev == PAD] = 0  # nobody reads what follows a pad
            cases.append({"weights": file, "shared": shared, "architecture": arch, "src_tokens": src.tolist(),
                          "prev_tokens": prev.tolist(), "logits": np.round(logits, 6).tolist()})
    (folder / "golden.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")


# Real dimensions: a sub-network alone, with two different embedding dimensions, in half precision.
EXPORT = {"encoder_embed_dim": 512, "encoder_ffn_dim": [1024, 2048, 1024, 3072, 1024, 2048], "encoder_self_attn_heads": [4, 8, 4, 8, 4, 8],
          "decoder_embed_dim": 640, "decoder_ffn_dim": [1024, 3072, 2048], "decoder_self_attn_heads": [4, 8, 8],
          "decoder_cross_attn_heads": [8, 4, 8], "decoder_cross_attn_span": [1, 3, 2]}


def export(binary):
    rng = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as temp:
        temp = pathlib.Path(temp)
        (temp / "arch.json").write_text(json.dumps(EXPORT))
        whole = draw(rng, 32768, 640, 640, [3072] * 6, [3072] * 6, 512, True, np.float16)
        part = dict(whole)
        for name, x in whole.items():
            side = "encoder" if name.startswith("encoder") else "decoder"
            e, d = EXPORT["encoder_embed_dim"], EXPORT[f"{side}_embed_dim"]
            layer = int(name.split(".")[2]) if ".layers." in name else 0
            widths = EXPORT[f"{side}_ffn_dim"]
            if layer >= len(widths):
                del part[name]
                continue
            inputs = max(e, d) if "encoder_attn" in name or "embed" in name else d
            if name.endswith("in_proj_weight") or "embed" in name:
                x = x[:, :inputs]
            elif name.endswith("fc1.weight"):
                x = x[: widths[layer], :d]
            elif name.endswith("fc2.weight"):
                x = x[:d, : widths[layer]]
            elif name.endswith("fc1.bias"):
                x = x[: widths[layer]]
            elif not name.endswith("in_proj_bias"):
                x = x[:d]
            part[name] = np.ascontiguousarray(x)
        models = []
        for name, tensors in (("supernet", whole), ("sub-network", part)):
            file = temp / f"{name}.safetensors"
            write_safetensors(file, tensors)
            subprocess.run([binary, "export", "--arch", temp / "arch.json", "--task", "wmt14.en-de", "--weights", file, "--out", temp / name], check=True)
            check(temp / name, read_safetensors(file))
            models.append((temp / name / "weights.bin").read_bytes())
            if tensors is part:
                half = temp / "half"
                subprocess.run([binary, "export", "--arch", temp / "arch.json", "--task", "wmt14.en-de", "--weights", file, "--precision", "fp16", "--out", half], check=True)
                check(half, read_safetensors(file))
            file.unlink()
        if models[0] != models[1]:
            sys.exit("the supernet and the sub-network cut from it gave different models")
        print("the supernet and the sub-network cut from it gave the same weights")


def main():
    if len(sys.argv) == 2 and pathlib.Path(sys.argv[1], "run.json").is_file():
        check_run(pathlib.Path(sys.argv[1]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    p = commands.add_parser("check")
    p.add_argument("folder")
    p.add_argument("--weights")
    commands.add_parser("export").add_argument("hsnas")
    commands.add_parser("golden").add_argument("folder")
    a = parser.parse_args()
    if a.command == "check":
        check(a.folder, read_safetensors(a.weights) if a.weights else None)
    elif a.command == "export":
        export(a.hsnas)
    else:
        golden(a.folder)


if __name__ == "__main__":
    main()
