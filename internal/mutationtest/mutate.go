// Package mutationtest damages files, for tests of what reads them: flipped bits, cut
// ends, lost, doubled and swapped blocks, lengths that lie. A seed makes the same damage
// again.
package mutationtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// Mutate returns text with one damage, drawn by seed, and says which. The result
// differs from text.
func Mutate(text []byte, seed uint64) (out []byte, what string) {
	r := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	for {
		one := damages[r.IntN(len(damages))]
		out, what := one(r, bytes.Clone(text))
		if !bytes.Equal(out, text) {
			return out, what
		}
		if len(text) == 0 {
			return []byte{byte(r.IntN(256))}, "a byte in an empty file"
		}
	}
}

// damage changes text, which it may overwrite.
type damage func(r *rand.Rand, text []byte) (out []byte, what string)

var damages = []damage{flipBits, setBytes, truncate, insert, remove, swapBlocks, doubleBlock, zeroRange, lieAboutLength}

func flipBits(r *rand.Rand, text []byte) ([]byte, string) {
	n := 1 + r.IntN(4)
	for range min(n, len(text)) {
		text[r.IntN(len(text))] ^= 1 << r.IntN(8)
	}
	return text, fmt.Sprintf("%d bits flipped", n)
}

func setBytes(r *rand.Rand, text []byte) ([]byte, string) {
	n := 1 + r.IntN(8)
	for range min(n, len(text)) {
		text[r.IntN(len(text))] = byte(r.IntN(256))
	}
	return text, fmt.Sprintf("%d bytes set", n)
}

func truncate(r *rand.Rand, text []byte) ([]byte, string) {
	n := r.IntN(len(text) + 1)
	return text[:n], fmt.Sprintf("cut after %d bytes", n)
}

func insert(r *rand.Rand, text []byte) ([]byte, string) {
	more := make([]byte, 1+r.IntN(32))
	for i := range more {
		more[i] = byte(r.IntN(256))
	}
	at := r.IntN(len(text) + 1)
	return bytes.Join([][]byte{text[:at], more, text[at:]}, nil), fmt.Sprintf("%d bytes inserted at %d", len(more), at)
}

func remove(r *rand.Rand, text []byte) ([]byte, string) {
	from, to := block(r, len(text))
	return append(text[:from], text[to:]...), fmt.Sprintf("bytes %d to %d lost", from, to)
}

// swapBlocks exchanges two blocks of one size.
func swapBlocks(r *rand.Rand, text []byte) ([]byte, string) {
	from, to := block(r, len(text)/2)
	if to == from {
		return text, ""
	}
	other := to + r.IntN(len(text)-2*(to-from)-from+1)
	a := bytes.Clone(text[from:to])
	copy(text[from:to], text[other:other+len(a)])
	copy(text[other:], a)
	return text, fmt.Sprintf("bytes %d to %d swapped with those at %d", from, to, other)
}

func doubleBlock(r *rand.Rand, text []byte) ([]byte, string) {
	from, to := block(r, len(text))
	return bytes.Join([][]byte{text[:to], text[from:to], text[to:]}, nil), fmt.Sprintf("bytes %d to %d twice", from, to)
}

func zeroRange(r *rand.Rand, text []byte) ([]byte, string) {
	from, to := block(r, len(text))
	clear(text[from:to])
	return text, fmt.Sprintf("bytes %d to %d zero", from, to)
}

// lieAboutLength writes a number where binary formats have lengths: at the start, before
// the end, anywhere.
func lieAboutLength(r *rand.Rand, text []byte) ([]byte, string) {
	if len(text) < 8 {
		return text, ""
	}
	at := []int{0, len(text) - 8, r.IntN(len(text) - 7)}[r.IntN(3)]
	value := []uint64{0, 1, uint64(len(text)), uint64(len(text)) + 1, 1 << 31, 1<<32 - 1, 1<<63 - 1, 1<<64 - 1}[r.IntN(8)]
	if r.IntN(2) == 0 {
		binary.LittleEndian.PutUint32(text[at:], uint32(value))
	} else {
		binary.LittleEndian.PutUint64(text[at:], value)
	}
	return text, fmt.Sprintf("length %d at %d", value, at)
}

// block draws a range of n bytes: mostly a small one.
func block(r *rand.Rand, n int) (from, to int) {
	if n == 0 {
		return 0, 0
	}
	size := 1 + r.IntN(n)
	if r.IntN(3) > 0 {
		size = 1 + r.IntN(min(n, 64))
	}
	from = r.IntN(n - size + 1)
	return from, from + size
}
