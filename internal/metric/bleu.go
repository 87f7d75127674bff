package metric

import (
	"fmt"
	"math"
)

// bleuOrder is the length of the longest n-grams that BLEU compares.
const bleuOrder = 4

// BLEU is the corpus BLEU-4 of tokenised hypotheses against one reference each
// (K. Papineni et al., "BLEU: a method for automatic evaluation of machine
// translation", ACL 2002). It is what SacreBLEU's corpus_bleu returns with
// tokenize="none": an order without a match counts as half a match, the next
// such order as a quarter, and so on (smoothing "exp"); a corpus without any
// match, or without any n-gram of some order, has 0. In [0, 100]; NaN for no
// sentences. It panics on lengths that differ.
func BLEU(hypotheses, references [][]string) float64 {
	if len(hypotheses) != len(references) {
		panic(fmt.Sprintf("metric.BLEU: %d hypotheses against %d references", len(hypotheses), len(references)))
	}
	if len(hypotheses) == 0 {
		return math.NaN()
	}
	m := matcher{ids: map[string]int32{}, counts: map[ngram]int{}}
	for i, hypothesis := range hypotheses {
		m.add(hypothesis, references[i])
	}
	return m.score()
}

// ngram is up to four words by their numbers, 0 behind the last of fewer.
type ngram [bleuOrder]int32

// matcher adds up what BLEU is made of, sentence by sentence.
type matcher struct {
	matched, total                    [bleuOrder]int // n-grams of the hypotheses, by order
	hypothesisLength, referenceLength int            // in words

	ids    map[string]int32 // number of each word, from 1
	counts map[ngram]int    // of a sentence's n-grams; kept to be used again
	words  []int32          // the same
}

func (m *matcher) add(hypothesis, reference []string) {
	m.hypothesisLength += len(hypothesis)
	m.referenceLength += len(reference)
	clear(m.counts)
	m.ngrams(reference, func(_ int, g ngram) { m.counts[g]++ })
	m.ngrams(hypothesis, func(order int, g ngram) {
		m.total[order]++
		if left := m.counts[g]; left > 0 { // each of the reference's matches once
			m.matched[order]++
			m.counts[g] = left - 1
		}
	})
}

// ngrams calls visit for each n-gram of a sentence, with its order from 0.
func (m *matcher) ngrams(sentence []string, visit func(order int, g ngram)) {
	m.words = m.words[:0]
	for _, word := range sentence {
		id, ok := m.ids[word]
		if !ok {
			id = int32(len(m.ids) + 1)
			m.ids[word] = id
		}
		m.words = append(m.words, id)
	}
	for i := range m.words {
		var g ngram
		for order, word := range m.words[i:min(i+bleuOrder, len(m.words))] {
			g[order] = word
			visit(order, g)
		}
	}
}

// score is the geometric mean of the precisions times the brevity penalty.
func (m *matcher) score() float64 {
	if m.matched[0] == 0 { // then longer ones do not match either
		return 0
	}
	logs, unmatched := 0.0, 1.0
	for order, total := range m.total {
		if total == 0 {
			return 0
		}
		matched := float64(m.matched[order])
		if matched == 0 {
			unmatched /= 2
			matched = unmatched
		}
		logs += math.Log(100 * matched / float64(total))
	}
	brevity := min(0, 1-float64(m.referenceLength)/float64(m.hypothesisLength))
	return min(100, math.Exp(logs/bleuOrder+brevity))
}
