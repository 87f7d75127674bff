package corpus

// random is splitmix64 (G. Steele, D. Lea and C. Flood, "Fast splittable
// pseudorandom number generators", OOPSLA 2014). The corpus is defined by its
// draws, so it is written out rather than left to a library.
type random struct{ state uint64 }

// uniform draws from [0, 1), in steps of 2^-53.
func (r *random) uniform() float64 {
	r.state += 0x9E3779B97F4A7C15
	z := r.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return float64((z^z>>31)>>11) / (1 << 53)
}

// below draws one of 0 to n-1.
func (r *random) below(n int) int { return int(r.uniform() * float64(n)) }

// chance is true with probability p.
func (r *random) chance(p float64) bool { return r.uniform() < p }

// pick draws one of a list.
func pick[T any](r *random, from []T) T { return from[r.below(len(from))] }
