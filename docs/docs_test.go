package docs

import "testing"

func TestAbout(t *testing.T) {
	for file, want := range map[string]string{
		"tfs/tfs.parquet":                         "The truth: quality of architectures trained from scratch",
		"winners/winners.parquet":                 "The winner of every search, trained from scratch",
		"label/no-role/labels.parquet":            About("label/labels.parquet"),
		"label/requests.jsonl":                    "every request, in the format of OpenAI's Batch API",
		"supernet/weights.safetensors":            "the shared weights by name, each at its largest; the checkpoint while they are trained",
		"logs/search.log":                         "JSON Lines: what happened, when",
		"distill/student-ridge.onnx":              "predictors of quality and cost: student-<name>, surrogate, control-<name> and cost-<name>",
		"search/state/hs-nas_limit-2_seed-1.json": "each search, as it was after its last generation, with the key that it belongs to: an interrupted stage goes on from there; removed when it succeeds",
		"label/batches.jsonl":                     "batches that were sent to a service: before one is made what it will hold, afterwards its id (labelling.md)",
		"somewhere/else.bin":                      "",
		"ablations/ablations.parquet":             "Of an experiment with a matrix of prompts (ablations.md) alone",
	} {
		if got := About(file); got != want {
			t.Errorf("%s: got  %q\nwant %q", file, got, want)
		}
	}
}
