package published

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"hsnas/internal/config"
)

// SubTransformer is one of the 44 models that HAT published, with the figures
// of its README.
type SubTransformer struct {
	Model, Task, Hardware string // "WMT'14 En-De", "Nvidia TITAN Xp GPU"
	Latency               string // as printed: "3.5s", "137.9ms"
	ParamsM, FLOPsG       float64
	BLEU, SacreBLEU       float64
	Architecture          string // canonical JSON
}

// subTransformerHeader is the header of hat/subtransformers.csv.
var subTransformerHeader = []string{
	"model", "task", "hardware", "latency", "params_m", "flops_g", "bleu", "sacrebleu",
	"encoder_embed_dim", "encoder_layers", "encoder_ffn_dim", "encoder_self_attn_heads",
	"decoder_embed_dim", "decoder_layers", "decoder_ffn_dim", "decoder_self_attn_heads",
	"decoder_cross_attn_heads", "decoder_arbitrary_ende_attn",
}

// settingKeys are HAT's keys of the columns from encoder_embed_dim on.
var settingKeys = []string{
	"encoder-embed-dim-subtransformer", encoderLayersKey, "encoder-ffn-embed-dim-all-subtransformer", "encoder-self-attention-heads-all-subtransformer",
	"decoder-embed-dim-subtransformer", decoderLayersKey, "decoder-ffn-embed-dim-all-subtransformer", "decoder-self-attention-heads-all-subtransformer",
	"decoder-ende-attention-heads-all-subtransformer", "decoder-arbitrary-ende-attn-all-subtransformer",
}

const (
	subTransformersPath = "hat/subtransformers.csv"
	firstSetting        = 8 // column of encoder_embed_dim
)

// SubTransformers reads HAT's 44 published models.
func SubTransformers(root string) ([]SubTransformer, error) {
	text, err := read(root, subTransformersPath)
	if err != nil {
		return nil, err
	}
	return parseSubTransformers(filepath.Join(root, filepath.FromSlash(subTransformersPath)), text)
}

func parseSubTransformers(file string, text []byte) ([]SubTransformer, error) {
	var out []SubTransformer
	err := eachRecord(file, text, subTransformerHeader, func(row record) error {
		m := SubTransformer{Model: row.fields[0], Task: row.fields[1], Hardware: row.fields[2], Latency: row.fields[3]}
		for i, into := range []*float64{&m.ParamsM, &m.FLOPsG, &m.BLEU, &m.SacreBLEU} {
			x, err := row.positive(4 + i)
			if err != nil {
				return err
			}
			*into = x
		}
		settings := make([]string, len(settingKeys))
		for i, key := range settingKeys {
			settings[i] = key + ": " + row.fields[firstSetting+i]
		}
		arch, err := parseArchInfo(settings)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", file, row.line, err)
		}
		m.Architecture = arch
		out = append(out, m)
		return nil
	})
	return out, err
}

// LatencyColumns are the names of the ten features of a latency dataset, in the
// order of LatencyRow.Features: what HAT's predictor reads, each a value, a
// layer count or the mean over the layers.
func LatencyColumns() []string { return slices.Clone(latencyHeader[:10]) }

var latencyHeader = []string{
	"encoder_embed_dim", "encoder_layer_num", "encoder_ffn_embed_dim_avg", "encoder_self_attention_heads_avg",
	"decoder_embed_dim", "decoder_layer_num", "decoder_ffn_embed_dim_avg", "decoder_self_attention_heads_avg",
	"decoder_ende_attention_heads_avg", "decoder_arbitrary_ende_attn_avg",
	"latency_mean_encoder", "latency_mean_decoder", "latency_std_encoder", "latency_std_decoder",
}

// LatencyRow is one measured architecture of a latency dataset, in the order of
// measurement.
type LatencyRow struct {
	Features                 [10]float64 // as LatencyColumns, not scaled; the last is HAT's mean span in 1 to 3
	EncoderMS, DecoderMS     float64     // mean of the middle 80 % of the repetitions
	EncoderStdMS, DecoderStd float64
}

// LatencyMS is the latency of a whole translation: the encoder once and all
// decoder steps.
func (r LatencyRow) LatencyMS() float64 { return r.EncoderMS + r.DecoderMS }

// LatencyDatasets returns the names of the datasets, like wmt14ende_gpu_titanxp.
func LatencyDatasets() []string { return names("hat/latency_dataset/", "_all.csv") }

// LatencyDataset reads one of LatencyDatasets: 2,000 rows.
func LatencyDataset(root, name string) ([]LatencyRow, error) {
	path, err := choose("latency dataset", name, "hat/latency_dataset/", "_all.csv")
	if err != nil {
		return nil, err
	}
	text, err := read(root, path)
	if err != nil {
		return nil, err
	}
	return parseLatency(filepath.Join(root, filepath.FromSlash(path)), text)
}

func parseLatency(file string, text []byte) ([]LatencyRow, error) {
	var out []LatencyRow
	err := eachRecord(file, text, latencyHeader, func(row record) error {
		var x [14]float64
		for i := range x {
			var err error
			if x[i], err = row.positive(i); err != nil {
				return err
			}
			if mean := i == 10 || i == 11; mean && x[i] == 0 {
				return config.Errorf(row.file, row.line, "%s is %q, expected milliseconds above 0", row.header[i], row.fields[i])
			}
		}
		out = append(out, LatencyRow{[10]float64(x[:10]), x[10], x[11], x[12], x[13]})
		return nil
	})
	return out, err
}

// record is a row of a CSV file; line counts from 1.
type record struct {
	file   string
	line   int
	header []string
	fields []string
}

// positive reads a column as a finite number of at least 0.
func (r record) positive(column int) (float64, error) {
	x, err := strconv.ParseFloat(r.fields[column], 64)
	if err != nil || x < 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 0, config.Errorf(r.file, r.line, "%s is %q, expected a number of at least 0", r.header[column], r.fields[column])
	}
	return x, nil
}

// eachRecord calls parse for every row of a CSV file that starts with header.
func eachRecord(file string, text []byte, header []string, parse func(record) error) error {
	r := csv.NewReader(bytes.NewReader(text))
	first, err := r.Read()
	if err != nil || !slices.Equal(first, header) {
		return config.Errorf(file, 1, "unexpected header, expected %s", strings.Join(header, ","))
	}
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			return config.Errorf(file, syntax.Line, "malformed CSV: %v, expected %d columns", syntax.Err, len(header))
		}
		line, _ := r.FieldPos(0)
		if err := parse(record{file, line, header, fields}); err != nil {
			return err
		}
	}
}

// ReadLatency reads a latency dataset of the user's own from a CSV file with the
// columns of HAT's.
func ReadLatency(file string) ([]LatencyRow, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, config.Errorf("", 0, "cannot read the latency dataset: %v", err)
	}
	return parseLatency(file, text)
}

// LatencyHeader returns the header of a latency dataset: LatencyColumns, the
// mean and the standard deviation of encoder and decoder in milliseconds.
func LatencyHeader() []string { return slices.Clone(latencyHeader) }
