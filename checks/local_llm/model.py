"""Writes a model of the llama architecture with random weights, the same each time.

    python model.py FILE

Its answers are garbage, but they depend on the prompt: the attention is sharp and
loud, so that a few tokens anywhere in the prompt decide.
"""

import sys

import gguf
import numpy

WIDTH, HEADS, CONTEXT = 64, 2, 32768
# Scales of queries and keys, and of values; at 1 all prompts get the same answer.
SHARP, LOUD = 4.0, 4.0
SEED = 2  # one of those that give many answers


def write(path):
    random = numpy.random.default_rng(SEED)
    # A token is a byte, so that no text is beyond the vocabulary, or the blank, for
    # which this kind of vocabulary has a character of three bytes.
    pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + ["\u2581"]
    kinds = [gguf.TokenType.UNKNOWN] + [gguf.TokenType.CONTROL] * 2 + [gguf.TokenType.BYTE] * 256 + [gguf.TokenType.NORMAL]

    w = gguf.GGUFWriter(path, "llama")
    w.add_context_length(CONTEXT)
    w.add_embedding_length(WIDTH)
    w.add_block_count(1)
    w.add_feed_forward_length(2 * WIDTH)
    w.add_head_count(HEADS)
    w.add_head_count_kv(HEADS)
    w.add_rope_dimension_count(WIDTH // HEADS)
    w.add_layer_norm_rms_eps(1e-5)
    w.add_vocab_size(len(pieces))
    w.add_tokenizer_model("llama")
    w.add_token_list(pieces)
    w.add_token_scores([0.0] * len(pieces))
    w.add_token_types(kinds)
    w.add_unk_token_id(0)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_add_space_prefix(False)
    w.add_chat_template("{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant: ")

    def matrix(name, rows, columns, scale=1.0):
        w.add_tensor(name + ".weight", random.normal(0, scale / columns**0.5, (rows, columns)).astype(numpy.float32))

    def norm(name):
        w.add_tensor(name + ".weight", numpy.ones(WIDTH, numpy.float32))

    matrix("token_embd", len(pieces), WIDTH, WIDTH**0.5)
    norm("blk.0.attn_norm")
    matrix("blk.0.attn_q", WIDTH, WIDTH, SHARP)
    matrix("blk.0.attn_k", WIDTH, WIDTH, SHARP)
    matrix("blk.0.attn_v", WIDTH, WIDTH, LOUD)
    matrix("blk.0.attn_output", WIDTH, WIDTH)
    norm("blk.0.ffn_norm")
    matrix("blk.0.ffn_gate", 2 * WIDTH, WIDTH)
    matrix("blk.0.ffn_up", 2 * WIDTH, WIDTH)
    matrix("blk.0.ffn_down", WIDTH, 2 * WIDTH)
    norm("output_norm")
    matrix("output", len(pieces), WIDTH)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: model.py FILE")
    write(sys.argv[1])
