package nn

import (
	"context"
	"errors"
	"fmt"

	"hsnas/internal/ort"
)

// Translator runs an exported model. It is not for concurrent use.
type Translator struct {
	model               Model
	encoder, init, step *ort.Session
	choose              *ort.Session // see chooserGraph
	spare               []*caches    // of decodings that have ended
}

// takeCaches are buffers of a decoding that has ended, or new ones.
func (t *Translator) takeCaches() *caches {
	if n := len(t.spare); n > 0 {
		c := t.spare[n-1]
		t.spare = t.spare[:n-1]
		return c
	}
	return newCaches(t)
}

// Load opens the graphs that decoding needs. Models that come from outside go through Open
// first, which checks their files.
func Load(rt *ort.Runtime, m Model, o ort.Options) (*Translator, error) {
	t := &Translator{model: m}
	for _, g := range []struct {
		session **ort.Session
		file    string
	}{{&t.encoder, EncoderFile}, {&t.init, InitFile}, {&t.step, StepFile}} {
		s, err := rt.LoadFile(m.File(g.file), o)
		if err != nil {
			return nil, errors.Join(err, t.Close())
		}
		*g.session = s
	}
	if err := t.checkStep(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	if err := t.loadChooser(rt); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// checkStep holds the order of the step's inputs and outputs to what Decoding relies on.
func (t *Translator) checkStep() error {
	n := len(t.model.Layers)
	in, out := t.step.Inputs(), t.step.Outputs()
	ok := len(in) == 3+2*n+len(t.init.Outputs()) && len(out) == 1+2*n && in[0].Name == "prev_token" && out[0].Name == "logits"
	for i := 0; ok && i < n; i++ {
		ok = in[3+2*i].Name == pastName("key", i) && out[1+2*i].Name == presentName("key", i)
	}
	for i := 0; ok && i < len(t.init.Outputs()); i++ {
		ok = in[3+2*n+i].Name == t.init.Outputs()[i].Name
	}
	if !ok {
		return fmt.Errorf("%s: its inputs and outputs do not fit %s; export the model again", t.model.File(StepFile), ModelFile)
	}
	return nil
}

// Model is the model that runs.
func (t *Translator) Model() Model { return t.model }

// Close gives the sessions back.
func (t *Translator) Close() error {
	var errs []error
	for _, s := range []*ort.Session{t.encoder, t.init, t.step, t.choose} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// Encoded are the encoder's outputs for one batch of sentences.
type Encoded []*ort.Tensor

// Destroy gives the tensors back.
func (e Encoded) Destroy() { destroy(e) }

func destroy(tensors []*ort.Tensor) {
	for _, x := range tensors {
		x.Destroy()
	}
}

// Encode runs the encoder on sentences of equal length, shorter ones padded with PAD.
func (t *Translator) Encode(ctx context.Context, sentences [][]int64) (Encoded, error) {
	if len(sentences) == 0 || len(sentences[0]) == 0 {
		return nil, errors.New("encode: no tokens")
	}
	var flat []int64
	for _, s := range sentences {
		if len(s) != len(sentences[0]) {
			return nil, fmt.Errorf("encode: sentences of %d and %d tokens in one batch; pad them", len(sentences[0]), len(s))
		}
		if err := t.checkTokens(s); err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
		flat = append(flat, s...)
	}
	src, err := ort.NewInts([]int64{int64(len(sentences)), int64(len(sentences[0]))}, flat)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	defer src.Destroy()
	out := make(Encoded, len(t.encoder.Outputs()))
	return out, t.encoder.Run(ctx, []*ort.Tensor{src}, out)
}

func (t *Translator) checkTokens(tokens []int64) error {
	for _, x := range tokens {
		if x < 0 || x >= int64(t.model.Vocabulary) {
			return fmt.Errorf("token %d is not of the vocabulary of %d", x, t.model.Vocabulary)
		}
	}
	return nil
}
