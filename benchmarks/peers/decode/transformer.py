"""HAT's Transformer in PyTorch, written as one would write it there: modules of
torch.nn.functional, caches grown by torch.cat and reordered by index_select, all
hypotheses of a beam in one batch. Post-LN, ReLU, fairseq's sinusoids; see docs of
internal/nn for the formulas. Weights are drawn at random or read from the files that
internal/nn is tested against."""

import json
import math
import struct

import torch
import torch.nn.functional as F

PAD, EOS = 1, 2


def read_safetensors(path):
    """The tensors of a file of float32, by name."""
    raw = open(path, "rb").read()
    (n,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + n])
    out = {}
    for name, t in header.items():
        if name != "__metadata__":
            assert t["dtype"] == "F32", (name, t["dtype"])
            a, b = t["data_offsets"]
            out[name] = torch.frombuffer(bytearray(raw[8 + n + a : 8 + n + b]), dtype=torch.float32).reshape(t["shape"])
    return out


class Random:
    """Weights of the right size for the sub-network alone."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, name, *shape):
        if name.endswith("norm.weight"):
            return torch.ones(shape)
        scale = 1 / math.sqrt(shape[-1]) if len(shape) == 2 else 0.1
        return (torch.rand(shape, generator=self.generator) * 2 - 1) * scale


class File:
    """The first rows and columns of a supernet's tensors."""

    def __init__(self, path, shared):
        self.tensors, self.shared = read_safetensors(path), shared

    def __call__(self, name, *shape):
        if name not in self.tensors and self.shared:
            name = name.replace("decoder.embed", "encoder.embed")
        return self.tensors[name][tuple(slice(n) for n in shape)].contiguous()


class Transformer:
    """arch: the JSON of an architecture. qkv: width of queries, keys and values. super_dim:
    the supernet's embedding dimension, which the positions depend on."""

    def __init__(self, arch, vocabulary, weights, qkv=512, super_dim=640, shared=True):
        self.a, self.v, self.qkv, self.super_dim, self.w = arch, vocabulary, qkv, super_dim, {}
        e, d = arch["encoder_embed_dim"], arch["decoder_embed_dim"]
        get = lambda name, *shape: self.w.setdefault(name, weights(name, *shape))
        table = weights("decoder.embed_tokens.weight", vocabulary, max(e, d) if shared else d)
        self.w["decoder.embed"] = table[:, :d].contiguous()
        self.w["encoder.embed"] = table[:, :e].contiguous() if shared else weights("encoder.embed_tokens.weight", vocabulary, e)

        def block(prefix, dim, ffn):
            get(prefix + "fc1.weight", ffn, dim), get(prefix + "fc1.bias", ffn)
            get(prefix + "fc2.weight", dim, ffn), get(prefix + "fc2.bias", dim)
            norm(prefix + "final_layer_norm", dim)

        def norm(prefix, dim):
            get(prefix + ".weight", dim), get(prefix + ".bias", dim)

        def attention(prefix, dim, columns):
            get(prefix + ".in_proj_weight", 3 * qkv, columns), get(prefix + ".in_proj_bias", 3 * qkv)
            get(prefix + ".out_proj.weight", dim, qkv), get(prefix + ".out_proj.bias", dim)
            norm(prefix + "_layer_norm", dim)

        for i, ffn in enumerate(arch["encoder_ffn_dim"]):
            attention(f"encoder.layers.{i}.self_attn", e, e)
            block(f"encoder.layers.{i}.", e, ffn)
        for i, ffn in enumerate(arch["decoder_ffn_dim"]):
            p = f"decoder.layers.{i}."
            attention(p + "self_attn", d, d)
            attention(p + "encoder_attn", d, max(d, e))
            w, b = self.w[p + "encoder_attn.in_proj_weight"], self.w[p + "encoder_attn.in_proj_bias"]
            self.w[p + "cross_q"] = (w[:qkv, :d].contiguous(), b[:qkv])
            self.w[p + "cross_k"] = (w[qkv : 2 * qkv, :e].contiguous(), b[qkv : 2 * qkv])
            self.w[p + "cross_v"] = (w[2 * qkv :, :e].contiguous(), b[2 * qkv :])
            block(p, d, ffn)

    def positions(self, first, n, dim):
        half = self.super_dim // 2
        f = torch.exp(torch.arange(half, dtype=torch.float32) * -(math.log(10000) / (half - 1)))
        x = torch.arange(first, first + n, dtype=torch.float32)[:, None] * f
        return torch.cat([x.sin(), x.cos()], 1)[:, :dim]

    def linear(self, x, prefix):
        return F.linear(x, self.w[prefix + ".weight"], self.w[prefix + ".bias"])

    def norm(self, x, prefix):
        return F.layer_norm(x, x.shape[-1:], self.w[prefix + ".weight"], self.w[prefix + ".bias"], 1e-5)

    def heads(self, x, h):
        return x.view(x.shape[0], x.shape[1], h, self.qkv // h).transpose(1, 2)

    def attend(self, q, k, v):
        scores = (q * (q.shape[-1] ** -0.5)) @ k.transpose(2, 3)
        y = scores.softmax(-1) @ v
        return y.transpose(1, 2).reshape(y.shape[0], y.shape[2], self.qkv)

    def close(self, y, x, prefix):
        return self.norm(x + self.linear(y, prefix + ".out_proj"), prefix + "_layer_norm")

    def ffn(self, x, p):
        y = self.linear(self.linear(x, p + "fc1").relu(), p + "fc2")
        return self.norm(x + y, p + "final_layer_norm")

    def encode(self, src):
        """The outputs of all layers for one sentence without pads, [1, src, E] each."""
        e = self.a["encoder_embed_dim"]
        x = self.w["encoder.embed"][src][None] * math.sqrt(e) + self.positions(PAD + 1, len(src), e)
        outputs = []
        for i, h in enumerate(self.a["encoder_self_attn_heads"]):
            p = f"encoder.layers.{i}."
            qkv = F.linear(x, self.w[p + "self_attn.in_proj_weight"], self.w[p + "self_attn.in_proj_bias"])
            q, k, v = (self.heads(y, h) for y in qkv.chunk(3, -1))
            x = self.ffn(self.close(self.attend(q, k, v), x, p + "self_attn"), p)
            outputs.append(x)
        return outputs

    def start(self, outputs):
        """Cross-attention's keys and values of each layer, once for a sentence; no tokens yet."""
        cross = []
        for i, span in enumerate(self.a["decoder_cross_attn_span"]):
            memory, h = torch.cat(outputs[::-1][:span], 1), self.a["decoder_cross_attn_heads"][i]
            k, v = (self.heads(F.linear(memory, *self.w[f"decoder.layers.{i}.cross_{x}"]), h) for x in "kv")
            cross.append((k, v))
        return {"cross": cross, "past": [None] * len(cross), "time": 0}

    def step(self, state, tokens, parents):
        """Logits [rows, V] for the next token; row i continues row parents[i]."""
        d = self.a["decoder_embed_dim"]
        x = self.w["decoder.embed"][tokens][:, None] * math.sqrt(d) + self.positions(PAD + 1 + state["time"], 1, d)
        for i, h in enumerate(self.a["decoder_self_attn_heads"]):
            p = f"decoder.layers.{i}."
            qkv = F.linear(x, self.w[p + "self_attn.in_proj_weight"], self.w[p + "self_attn.in_proj_bias"])
            q, k, v = (self.heads(y, h) for y in qkv.chunk(3, -1))
            if state["past"][i] is not None:
                k, v = (torch.cat([old.index_select(0, parents), new], 2) for old, new in zip(state["past"][i], (k, v)))
            state["past"][i] = (k, v)
            x = self.close(self.attend(q, k, v), x, p + "self_attn")
            heads = self.a["decoder_cross_attn_heads"][i]
            q = self.heads(F.linear(x, *self.w[p + "cross_q"]), heads)
            x = self.close(self.attend(q, *(y.expand(len(tokens), -1, -1, -1) for y in state["cross"][i])), x, p + "encoder_attn")
            x = self.ffn(x, p)
        state["time"] += 1
        return F.linear(x[:, 0], self.w["decoder.embed"])

    def translate(self, src, beam, limit, least=1):
        """Beam search as in fairseq: [(score, tokens)], best first."""
        state = self.start(self.encode(src))
        live, done = [([], 0.0, 0)], []
        while live and len(done) < beam:
            tokens = torch.tensor([t[-1] if t else EOS for t, _, _ in live])
            logp = self.step(state, tokens, torch.tensor([p for _, _, p in live])).log_softmax(-1)
            logp[:, PAD] = -math.inf
            if len(live[0][0]) + 1 < least:
                logp[:, EOS] = -math.inf
            sums = logp + torch.tensor([s for _, s, _ in live])[:, None]
            top, at = sums.view(-1).topk(min(2 * beam, sums.numel()))
            grown = []
            for rank, (s, j) in enumerate(zip(top.tolist(), at.tolist())):
                row, token = divmod(j, self.v)
                h = live[row][0] + [token]
                if s == -math.inf:
                    continue
                if token == EOS:
                    if rank < beam and len(done) < beam:
                        done.append((s / len(h), h))
                elif len(grown) < beam:
                    grown.append((h, s, row))
            live = grown
            if live and len(live[0][0]) == limit:
                done += [(s / len(h), h) for h, s, _ in live[: beam - len(done)]]
                break
        return sorted(done, key=lambda x: -x[0])
