package label

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"hsnas/internal/llm"
	"hsnas/internal/metric"
	"hsnas/internal/published"
	"hsnas/schemas"
)

// sentLine is a line of the batch file that the stage writes.
type sentLine struct {
	CustomID string                           `json:"custom_id"`
	Body     struct{ Messages []llm.Message } `json:"body"`
}

// sent reads the batch file.
func (f *fixture) sent(t *testing.T) []sentLine {
	t.Helper()
	text, err := os.ReadFile(f.out.Prompts)
	if err != nil {
		t.Fatal(err)
	}
	var out []sentLine
	for line := range bytes.Lines(text) {
		var l sentLine
		if err := json.Unmarshal(line, &l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

// respond makes the response file to requests.
func respond(sent []sentLine) string {
	var b bytes.Buffer
	for _, l := range sent {
		fmt.Fprintf(&b, `{"custom_id":%q,"response":{"status_code":200,"body":`, l.CustomID)
		complete(&b, predictions(l.Body.Messages[len(l.Body.Messages)-1].Content), "stop")
		b.WriteString("},\"error\":null}\n")
	}
	return b.String()
}

// publishedFixture lays the published protocol of a WMT task out as the stages
// sample and tfs do.
func publishedFixture(t *testing.T, root, name string) *fixture {
	t.Helper()
	tk := loadTask(t, name)
	var rows []schemas.Architecture
	var truth []schemas.TFS
	known := map[string]bool{}
	add := func(text, set, split string, position int, score float64) {
		a := parse(t, tk, text)
		rows = append(rows, schemas.Architecture{ID: a.ID(), Set: set, Split: split, Position: int32(position), Architecture: a.String()})
		if set != schemas.SetUnlabelled && !known[a.ID()] {
			known[a.ID()] = true
			truth = append(truth, schemas.TFS{ID: a.ID(), Score: score, Metric: tk.Metric.Name, Source: schemas.SourcePublished})
		}
	}
	for _, split := range published.Splits() {
		for set, part := range map[string]published.Part{schemas.SetDemonstration: published.Demonstrations, schemas.SetTest: published.Test} {
			seeds, err := published.Seeds(root, tk.Data.LLMAS, split, part)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range seeds {
				add(s.Architecture, set, split, i, s.Valid)
			}
		}
	}
	unlabelled, err := published.Unlabelled(root, "111")
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range unlabelled[:250] {
		add(text, schemas.SetUnlabelled, "", i, 0)
	}
	f := artifacts(t, tk, t.TempDir(), rows, truth)
	f.in.UnlabelledSet = "111"
	return f
}

// TestReplay: the recorded answers must give the figures that were computed from
// them independently: MAE / Kendall tau-b, mean over the three splits.
func TestReplay(t *testing.T) {
	root, err := published.Root()
	if err != nil {
		t.Skip("needs the published figures: ", err)
	}
	for name, want := range map[string]string{
		"wmt14.en-de": "0.155/0.728", "wmt14.en-fr": "0.135/0.836", "wmt19.en-de": "0.192/0.752",
	} {
		f := publishedFixture(t, root, name)
		if err := f.run(t, Defaults()); err != nil {
			t.Fatal(err)
		}
		if got := f.quality(t, 1); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if n := len(f.labels(t)); n != 60+250 {
			t.Errorf("%s: %d labels, want 310", name, n)
		}
		if n := len(f.sent(t)); n != 13 {
			t.Errorf("%s: %d requests, want 13", name, n)
		}
	}
}

// TestReplaySecondSamples: the second answers to the test prompts, mean over all
// tasks and splits.
func TestReplaySecondSamples(t *testing.T) {
	root, err := published.Root()
	if err != nil {
		t.Skip("needs the published figures: ", err)
	}
	var mae, tau float64
	for _, name := range []string{"wmt14.en-de", "wmt14.en-fr", "wmt19.en-de"} {
		f := publishedFixture(t, root, name)
		p := Defaults()
		p.Samples = 2
		if err := f.run(t, p); err != nil {
			t.Fatal(err)
		}
		m, k := f.figures(t, 2)
		mae, tau = mae+m/3, tau+k/3
	}
	if got := fmt.Sprintf("%.3f/%.3f", mae, tau); got != "0.161/0.778" {
		t.Errorf("second answers: %s, want 0.161/0.778", got)
	}
}

func (f *fixture) quality(t *testing.T, sample int32) string {
	t.Helper()
	mae, tau := f.figures(t, sample)
	return fmt.Sprintf("%.3f/%.3f", mae, tau)
}

// figures are MAE and tau on the test sets, mean over the splits.
func (f *fixture) figures(t *testing.T, sample int32) (mae, tau float64) {
	t.Helper()
	rows, err := schemas.ReadTFS(f.in.TFS)
	if err != nil {
		t.Fatal(err)
	}
	truth := map[string]float64{}
	for _, r := range rows {
		truth[r.ID] = r.Score
	}
	labels := f.labels(t)
	splits := published.Splits()
	for _, split := range splits {
		var said, is []float64
		for _, l := range labels {
			if l.Set == schemas.SetTest && l.Split == split && l.Sample == sample {
				said, is = append(said, l.Prediction), append(is, truth[l.ID])
			}
		}
		mae += metric.MAE(said, is) / float64(len(splits))
		tau += metric.KendallTauB(said, is) / float64(len(splits))
	}
	return mae, tau
}
