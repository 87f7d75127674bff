"""The micro model in PyTorch: what hsnas's own trainer is compared with.

A pre-LayerNorm Transformer with ReLU, without dropout, whose weights are held at the
sizes of the largest architecture and sliced: an architecture uses the first rows and
columns. The same class is thus a model of its own and a supernet. Every attention has
queries, keys and values of width 64; decoder layer i attends to the outputs of the last
`decoder_cross_attn_span[i]` encoder layers, one after another.

Departures from the usual Transformer: positions are sin and cos of p / 1000^(2i/96) at
every width, so that slices agree; one LayerNorm is shared by all encoder outputs; key
projections start equal to the query projections.
"""

import collections
import dataclasses
import json
import math
import random
from collections.abc import Iterable, Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from corpus import BOS, EOS, PAD, Corpus, Pair

ATTENTION_DIM = 64  # width of queries, keys and values
POSITION_DIM = 96  # the width whose ladder of wavelengths all widths share
MASKED = -1e9  # added to the attention scores of what must not be seen
VALUE_GAIN = 0.7  # of the initial value projections; all others have 1
FIRST_BATCH_SEED = 1000  # plus a run's seed: that of its batches
EXTRA_STEPS = 8  # greedy decoding stops at the source length plus this


# --- architectures ---------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Architecture:
    """One point of the search space, under hsnas's names; depth is the length of the lists."""

    encoder_embed_dim: int
    encoder_ffn_dim: tuple[int, ...]
    encoder_self_attn_heads: tuple[int, ...]
    decoder_embed_dim: int
    decoder_ffn_dim: tuple[int, ...]
    decoder_self_attn_heads: tuple[int, ...]
    decoder_cross_attn_heads: tuple[int, ...]
    decoder_cross_attn_span: tuple[int, ...]

    @classmethod
    def from_json(cls, text: str) -> "Architecture":
        """Reads hsnas's JSON; the numbers of layers may be stated, and must then be right."""
        fields = json.loads(text)
        depths = {k: fields.pop(k) for k in ("encoder_layers", "decoder_layers") if k in fields}
        arch = cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})
        for name, depth in depths.items():
            if depth != getattr(arch, name):
                raise ValueError(f"{name} is {depth}, but its lists have {getattr(arch, name)} entries")
        return arch

    @classmethod
    def from_reference(cls, a: dict) -> "Architecture":
        """Converts an architecture of nas.py (enc_dim, x_heads, ende and so on)."""
        e, d = a["enc_layers"], a["dec_layers"]
        return cls(
            encoder_embed_dim=a["enc_dim"],
            encoder_ffn_dim=tuple(a["enc_ffn"][:e]),
            encoder_self_attn_heads=tuple(a["enc_heads"][:e]),
            decoder_embed_dim=a["dec_dim"],
            decoder_ffn_dim=tuple(a["dec_ffn"][:d]),
            decoder_self_attn_heads=tuple(a["dec_heads"][:d]),
            decoder_cross_attn_heads=tuple(a["x_heads"][:d]),
            decoder_cross_attn_span=tuple(a["ende"][:d]),
        )

    def __post_init__(self):
        for side, lists in (
            ("encoder", (self.encoder_ffn_dim, self.encoder_self_attn_heads)),
            (
                "decoder",
                (
                    self.decoder_ffn_dim,
                    self.decoder_self_attn_heads,
                    self.decoder_cross_attn_heads,
                    self.decoder_cross_attn_span,
                ),
            ),
        ):
            if len({len(x) for x in lists}) != 1:
                raise ValueError(f"the {side}'s lists differ in length: {lists}")

    @property
    def encoder_layers(self) -> int:
        return len(self.encoder_ffn_dim)

    @property
    def decoder_layers(self) -> int:
        return len(self.decoder_ffn_dim)

    def fields(self) -> dict:
        """What hsnas's JSON says of it, in its order."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in dataclasses.asdict(self).items()}


# --- parameters ------------------------------------------------------------------------


def parameter_shapes(arch: Architecture, source_words: int, target_words: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every parameter, in the order in which they are drawn.

    Matrices are [out, in] and named .weight, their biases .bias; a LayerNorm has .gain and
    .bias. The target embeddings are the output matrix too, without a bias.
    """
    shapes: dict[str, tuple[int, ...]] = {}

    def linear(name: str, rows: int, columns: int):
        shapes[name + ".weight"] = (rows, columns)
        shapes[name + ".bias"] = (rows,)

    def layer_norm(name: str, width: int):
        shapes[name + ".gain"] = (width,)
        shapes[name + ".bias"] = (width,)

    def attention(name: str, width: int, memory_width: int):
        linear(name + ".query", ATTENTION_DIM, width)
        linear(name + ".key", ATTENTION_DIM, memory_width)
        linear(name + ".value", ATTENTION_DIM, memory_width)
        linear(name + ".out", width, ATTENTION_DIM)

    def feed_forward(name: str, width: int, hidden: int):
        linear(name + ".in", hidden, width)
        linear(name + ".out", width, hidden)

    e, d = arch.encoder_embed_dim, arch.decoder_embed_dim
    shapes["source.embedding"] = (source_words, e)
    shapes["target.embedding"] = (target_words, d)
    for i, hidden in enumerate(arch.encoder_ffn_dim):
        layer = f"encoder.{i}"
        attention(layer + ".self_attention", e, e)
        feed_forward(layer + ".ffn", e, hidden)
        layer_norm(layer + ".self_attention_norm", e)
        layer_norm(layer + ".ffn_norm", e)
    for i, hidden in enumerate(arch.decoder_ffn_dim):
        layer = f"decoder.{i}"
        attention(layer + ".self_attention", d, d)
        attention(layer + ".cross_attention", d, e)
        feed_forward(layer + ".ffn", d, hidden)
        layer_norm(layer + ".self_attention_norm", d)
        layer_norm(layer + ".cross_attention_norm", d)
        layer_norm(layer + ".ffn_norm", d)
    layer_norm("encoder.norm", e)
    layer_norm("decoder.norm", d)
    return shapes


def draw_parameters(shapes: dict[str, tuple[int, ...]], seed: int) -> dict[str, Tensor]:
    """Initial values: matrices U(+-gain sqrt(6 / (in + out))), embeddings N(0, 1 / width)."""
    generator = torch.Generator().manual_seed(seed)
    parameters = {}
    for name, shape in shapes.items():
        if name.endswith(".embedding"):
            value = torch.randn(shape, generator=generator) * shape[1] ** -0.5
        elif name.endswith(".weight"):
            gain = VALUE_GAIN if name.endswith(".value.weight") else 1.0
            limit = gain * math.sqrt(6 / sum(shape))
            value = (torch.rand(shape, generator=generator) * 2 - 1) * limit
        else:
            value = torch.ones(shape) if name.endswith(".gain") else torch.zeros(shape)
        parameters[name] = value
    # Attention starts as similarity: what is alike, the position above all, attends to itself.
    for name, query in parameters.items():
        if name.endswith(".query.weight"):
            key = parameters[name.replace(".query.", ".key.")]
            shared = min(query.shape[1], key.shape[1])
            key[:, :shared] = query[:, :shared]
    return parameters


# --- model -----------------------------------------------------------------------------


def positions(length: int, width: int, dtype: torch.dtype) -> Tensor:
    """[length, width]: sin and cos alternate, at wavelengths that do not depend on the width."""
    p = torch.arange(length, dtype=dtype)[:, None]
    i = torch.arange(width // 2, dtype=dtype)[None]
    angle = p / 1000 ** (2 * i / POSITION_DIM)
    return torch.stack([angle.sin(), angle.cos()], 2).reshape(length, width)


def leading(parameter: Tensor, *sizes: int) -> Tensor:
    """The first rows and columns of a parameter; the whole of it is not sliced, which is faster."""
    if parameter.shape == sizes:
        return parameter
    return parameter[tuple(slice(n) for n in sizes)]


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int, mask: Tensor) -> Tensor:
    """Multi-head scaled dot-product attention; mask is added to the scores.

    Written out: on a CPU F.scaled_dot_product_attention is no faster at these sizes.
    """
    batch, length, width = query.shape
    head_dim = width // heads

    def split(x: Tensor) -> Tensor:
        return x.view(batch, x.shape[1], heads, head_dim).transpose(1, 2)

    scores = (split(query) @ split(key).transpose(2, 3)) * head_dim**-0.5 + mask
    return (scores.softmax(-1) @ split(value)).transpose(1, 2).reshape(batch, length, width)


class Transformer:
    """Parameters by name, and the architectures that can be sliced from them."""

    def __init__(self, parameters: dict[str, Tensor]):
        self.parameters = {k: v.detach().clone().requires_grad_() for k, v in parameters.items()}

    def linear(self, name: str, x: Tensor, rows: int) -> Tensor:
        weight = leading(self.parameters[name + ".weight"], rows, x.shape[-1])
        return F.linear(x, weight, leading(self.parameters[name + ".bias"], rows))

    def layer_norm(self, name: str, x: Tensor) -> Tensor:
        width = x.shape[-1]
        gain = leading(self.parameters[name + ".gain"], width)
        return F.layer_norm(x, (width,), gain, leading(self.parameters[name + ".bias"], width))

    def embed(self, language: str, tokens: Tensor, width: int) -> Tensor:
        table = self.parameters[language + ".embedding"]
        table = leading(table, len(table), width)
        return table[tokens] * width**0.5 + positions(tokens.shape[1], width, table.dtype)

    def attention(self, name: str, x: Tensor, memory: Tensor, heads: int, mask: Tensor) -> Tensor:
        query = self.linear(name + ".query", x, ATTENTION_DIM)
        key = self.linear(name + ".key", memory, ATTENTION_DIM)
        value = self.linear(name + ".value", memory, ATTENTION_DIM)
        return self.linear(name + ".out", attend(query, key, value, heads, mask), x.shape[-1])

    def feed_forward(self, name: str, x: Tensor, hidden: int) -> Tensor:
        return self.linear(name + ".out", F.relu(self.linear(name + ".in", x, hidden)), x.shape[-1])

    def encode(self, arch: Architecture, source: Tensor) -> tuple[list[Tensor], Tensor]:
        """The normalised output of every layer, and the mask that hides padding."""
        x = self.embed("source", source, arch.encoder_embed_dim)
        mask = (source == PAD)[:, None, None, :].to(x.dtype) * MASKED
        outputs = []
        for i in range(arch.encoder_layers):
            layer = f"encoder.{i}"
            y = self.layer_norm(layer + ".self_attention_norm", x)
            x = x + self.attention(layer + ".self_attention", y, y, arch.encoder_self_attn_heads[i], mask)
            y = self.layer_norm(layer + ".ffn_norm", x)
            x = x + self.feed_forward(layer + ".ffn", y, arch.encoder_ffn_dim[i])
            outputs.append(x)
        return [self.layer_norm("encoder.norm", x) for x in outputs], mask

    def decode(
        self, arch: Architecture, encoded: list[Tensor], source_mask: Tensor, target: Tensor, last: bool = False
    ) -> Tensor:
        """Logits of the word after each target prefix, or after the whole target alone."""
        x = self.embed("target", target, arch.decoder_embed_dim)
        length = target.shape[1]
        causal = torch.full((length, length), MASKED, dtype=x.dtype).triu(1)[None, None]
        for i in range(arch.decoder_layers):
            layer = f"decoder.{i}"
            y = self.layer_norm(layer + ".self_attention_norm", x)
            x = x + self.attention(layer + ".self_attention", y, y, arch.decoder_self_attn_heads[i], causal)
            span = min(arch.decoder_cross_attn_span[i], len(encoded))
            memory = torch.cat(encoded[-span:], 1) if span > 1 else encoded[-1]
            y = self.layer_norm(layer + ".cross_attention_norm", x)
            seen = source_mask.repeat(1, 1, 1, span)
            x = x + self.attention(layer + ".cross_attention", y, memory, arch.decoder_cross_attn_heads[i], seen)
            y = self.layer_norm(layer + ".ffn_norm", x)
            x = x + self.feed_forward(layer + ".ffn", y, arch.decoder_ffn_dim[i])
        x = self.layer_norm("decoder.norm", x)
        if last:
            x = x[:, -1:]
        table = self.parameters["target.embedding"]
        return F.linear(x, leading(table, len(table), arch.decoder_embed_dim))

    def loss(self, arch: Architecture, batch: "Batch", smoothing: float) -> Tensor:
        """Mean cross entropy of the target words; smoothing spreads over the whole vocabulary."""
        encoded, mask = self.encode(arch, batch.source)
        logits = self.decode(arch, encoded, mask, batch.target_in)
        return F.cross_entropy(
            logits.flatten(0, 1), batch.target_out.flatten(), ignore_index=PAD, label_smoothing=smoothing
        )

    @torch.no_grad()
    def greedy(self, arch: Architecture, source: Tensor) -> list[list[int]]:
        """The likeliest word at every step, up to EOS, which is left out."""
        encoded, mask = self.encode(arch, source)
        target = torch.full((len(source), 1), BOS)
        done = torch.zeros(len(source), dtype=torch.bool)
        for _ in range(source.shape[1] + EXTRA_STEPS):
            word = self.decode(arch, encoded, mask, target, last=True)[:, 0].argmax(-1)
            word[done] = PAD
            target = torch.cat([target, word[:, None]], 1)
            done |= word == EOS
            if done.all():
                break
        return [words[: words.index(EOS)] if EOS in words else words for words in target[:, 1:].tolist()]


# --- batches ---------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Batch:
    """Padded word ids, [sentences, length]; target_in begins with BOS, target_out ends in EOS."""

    source: Tensor
    target_in: Tensor
    target_out: Tensor


def make_batch(pairs: Sequence[Pair]) -> Batch:
    def padded(rows: list[list[int]]) -> Tensor:
        length = max(map(len, rows))
        return torch.tensor([row + [PAD] * (length - len(row)) for row in rows])

    return Batch(
        source=padded([p.source for p in pairs]),
        target_in=padded([[BOS] + p.target[:-1] for p in pairs]),
        target_out=padded([p.target for p in pairs]),
    )


def shuffled_batches(pairs: Sequence[Pair], size: int, seed: int) -> Iterator[Batch]:
    """Endless: shuffle, sort by length inside pools of 20 batches, cut, shuffle the batches."""
    rng = random.Random(seed)
    while True:
        order = list(range(len(pairs)))
        rng.shuffle(order)
        cut = []
        for start in range(0, len(order) - size + 1, 20 * size):
            pool = order[start : start + 20 * size]
            pool.sort(key=lambda j: (len(pairs[j].target), len(pairs[j].source)))
            cut += [pool[k : k + size] for k in range(0, len(pool) - size + 1, size)]
        rng.shuffle(cut)
        for chosen in cut:
            yield make_batch([pairs[j] for j in chosen])


# --- training --------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Training:
    """Setting A of the micro task."""

    steps: int = 500
    batch_size: int = 64
    peak_rate: float = 4e-3
    warmup_steps: int = 100
    betas: tuple[float, float] = (0.9, 0.98)
    epsilon: float = 1e-9
    clip_norm: float = 1.0
    label_smoothing: float = 0.1
    fused_adam: bool = False  # faster; only in PyTorch from 2.4 on

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 1: linear warm-up, linear decay to 2 %."""
        if step < self.warmup_steps:
            return self.peak_rate * step / self.warmup_steps
        left = 1 - (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        return self.peak_rate * max(0.02, left)


def train(
    model: Transformer, arch: Architecture, batches: Iterable[Batch], settings: Training
) -> Iterator[tuple[float, float]]:
    """Takes one Adam step for each batch; yields its loss, and the gradient's norm before clipping."""
    parameters = list(model.parameters.values())
    kernel = {"fused": True} if settings.fused_adam else {"foreach": True}
    optimizer = torch.optim.Adam(parameters, betas=settings.betas, eps=settings.epsilon, **kernel)
    for step, batch in enumerate(batches, 1):
        for group in optimizer.param_groups:
            group["lr"] = settings.rate(step)
        optimizer.zero_grad(set_to_none=True)
        loss = model.loss(arch, batch, settings.label_smoothing)
        loss.backward()
        sampled = [p for p in parameters if p.grad is not None]
        norm = torch.nn.utils.clip_grad_norm_(sampled, settings.clip_norm)
        optimizer.step()
        yield loss.item(), norm.item()


# --- evaluation ------------------------------------------------------------------------


@torch.no_grad()
def mean_loss(model: Transformer, arch: Architecture, pairs: Sequence[Pair], size: int = 100) -> float:
    """Unsmoothed cross entropy for each target word, EOS included."""
    pairs = sorted(pairs, key=lambda p: len(p.target))
    total = words = 0
    for start in range(0, len(pairs), size):
        batch = make_batch(pairs[start : start + size])
        n = int((batch.target_out != PAD).sum())
        total += model.loss(arch, batch, 0.0).item() * n
        words += n
    return total / words


def translate(model: Transformer, arch: Architecture, pairs: Sequence[Pair], size: int = 100) -> list[list[int]]:
    """Greedy translations of the sources, in their order; sentences of like length share a batch."""
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i].source))
    translations: list[list[int]] = [[]] * len(pairs)
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        source = make_batch([pairs[i] for i in chosen]).source
        for i, words in zip(chosen, model.greedy(arch, source)):
            translations[i] = [w for w in words if w != PAD]
    return translations


def bleu(hypotheses: Sequence[Sequence[int]], references: Sequence[Sequence[int]]) -> float:
    """Corpus BLEU-4 in percent, one reference, no smoothing."""

    def ngrams(words: Sequence[int], n: int) -> collections.Counter:
        return collections.Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))

    matches, totals = [0] * 4, [0] * 4
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        for n in range(1, 5):
            found, wanted = ngrams(hypothesis, n), ngrams(reference, n)
            matches[n - 1] += (found & wanted).total()
            totals[n - 1] += found.total()
    if min(matches) == 0:
        return 0.0
    ratio = sum(map(len, references)) / sum(map(len, hypotheses))
    precision = sum(math.log(m / t) for m, t in zip(matches, totals)) / 4
    return 100 * math.exp(precision + min(0.0, 1 - ratio))


def test_bleu(model: Transformer, arch: Architecture, corpus: Corpus) -> float:
    return bleu(translate(model, arch, corpus.test), [p.target[:-1] for p in corpus.test])
