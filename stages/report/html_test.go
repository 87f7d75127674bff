package report

import (
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hsnas/internal/chart"
	"hsnas/schemas"
)

var (
	tags    = regexp.MustCompile(`(?s)<(style|svg)\b.*?</(style|svg)>|<[^>]*>`)
	anchors = regexp.MustCompile(`\]\(report\.html#([a-z-]+)\)`)
	ids     = regexp.MustCompile(` id="([^"]*)"`)
)

// said is the text of the HTML, without that of drawings.
func said(page []byte) string {
	return html.UnescapeString(tags.ReplaceAllString(string(page), "\n"))
}

// TestOneModel: what the Markdown says the HTML says, in the same order, cell by
// cell and line by line, and it has the figures that the Markdown names.
func TestOneModel(t *testing.T) {
	page := render(t, madeUp(t, t.TempDir()))
	rest := strings.Join(strings.Fields(said(page.HTML)), " ")
	rest = rest[strings.Index(rest, "Summary On"):] // behind the list of sections
	passed := 0
	for _, line := range strings.Split(string(page.Markdown), "\n")[1:] {
		if strings.HasPrefix(line, "| ---") || line == "" {
			continue
		}
		line = strings.TrimLeft(line, "#- ")
		line = anchors.ReplaceAllString(strings.ReplaceAll(line, "[Figure", "Figure"), "")
		line = regexp.MustCompile(`^(Figure \d+):`).ReplaceAllString(line, "$1.")
		for _, part := range regexp.MustCompile("`| \\| |^\\| | \\|$").Split(line, -1) {
			part = strings.Join(strings.Fields(strings.Trim(part, "|")), " ")
			at := strings.Index(rest, part)
			if at < 0 {
				t.Fatalf("after %d parts the HTML lacks %q of the line %q", passed, part, line)
			}
			rest = rest[at+len(part):]
			passed++
		}
	}
	if passed < 500 {
		t.Errorf("only %d parts compared", passed)
	}
}

// TestFigureIDs: all nine figures, in both forms, and no id twice.
func TestFigureIDs(t *testing.T) {
	page := render(t, madeUp(t, t.TempDir()))
	var named []string
	for _, m := range anchors.FindAllStringSubmatch(string(page.Markdown), -1) {
		named = append(named, m[1])
	}
	want := []string{"fig-scoreboard", "fig-predicted", "fig-latency", "fig-front", "fig-trajectories", "fig-winners", "fig-benchmark", "fig-roofline", "fig-costs"}
	if !slices.Equal(named, want) {
		t.Errorf("figures %v, want %v", named, want)
	}
	seen := map[string]bool{}
	for _, m := range ids.FindAllStringSubmatch(string(page.HTML), -1) {
		if seen[m[1]] {
			t.Errorf("the id %s is there twice", m[1])
		}
		seen[m[1]] = true
	}
	for _, id := range want {
		if !seen[id] {
			t.Errorf("the HTML has no figure %s", id)
		}
	}
}

// TestSelfContained: nothing that a browser would fetch or run.
func TestSelfContained(t *testing.T) {
	text := string(render(t, madeUp(t, t.TempDir())).HTML)
	for _, foreign := range []string{"<script", "src=", "url(", "@import", "http:", "https:", "<iframe", "<object", "javascript:", " onload"} {
		if at := strings.Index(text, foreign); at >= 0 {
			t.Errorf("the page has %s: %s", foreign, text[max(0, at-40):min(len(text), at+60)])
		}
	}
}

// TestHostileNames: names from files are text, wherever they stand.
func TestHostileNames(t *testing.T) {
	in := madeUp(t, t.TempDir())
	const name = `x"><script>alert(1)</script>&amp;`
	rows := slices.Clone(scores)
	rows[0].Note = name
	rows = append(rows, score("control:"+name, schemas.SplitMean, 0.2, 0.5))
	front := slices.Clone(winners)
	front[0].Search, front[0].Unit = name, name
	for _, err := range []error{schemas.WriteScoreboard(in.Scoreboard, rows, prov), schemas.WriteFront(in.Front, front, prov)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	page := render(t, in)
	text := string(page.HTML)
	if strings.Contains(text, "<script") || strings.Contains(text, `x">`) {
		t.Error("a name became markup")
	}
	if !strings.Contains(said(page.HTML), name) {
		t.Error("the name is not what it was")
	}
}

// TestWithoutData: a run that stops early has no figure, and says why.
func TestWithoutData(t *testing.T) {
	all := madeUp(t, t.TempDir())
	text := string(render(t, Inputs{Task: all.Task, Architectures: all.Architectures}).HTML)
	if strings.Contains(text, "<figure") || strings.Contains(text, `<svg class="plot"`) {
		t.Error("a figure of nothing")
	}
	for _, want := range []string{"No scoreboard: the run has no distill stage.", "Nothing was timed: the run has no benchmark stage.", "Nothing to count: the run has neither a label nor a search stage."} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestInline(t *testing.T) {
	if got, want := inline("a `b<c` & `d`"), "a <code>b&lt;c</code> &amp; <code>d</code>"; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestLongText: what is long breaks into lines instead of leaving the page; numbers and
// names do not.
func TestLongText(t *testing.T) {
	long := strings.Repeat("word ", 9)
	v := table{headings: []string{"predictor", "note", ">n", verdictColumn, "id"}, rows: [][]string{{"a", long, long, differs + long, strings.Repeat("x", 64)}, {"b", "", "1", absent, ""}}}.view("t")
	var got []string
	for _, c := range v.Rows[0] {
		got = append(got, c.Class)
	}
	if want := []string{"", "note text", "n", "verdict other text", ""}; !slices.Equal(got, want) {
		t.Errorf("classes %q, want %q", got, want)
	}
	if got := inline("95 % of `5 %`"); got != "95\u00a0% of <code>5\u00a0%</code>" {
		t.Errorf("%q", got)
	}
}

func TestUniqueIDs(t *testing.T) {
	taken := map[string]int{}
	for _, test := range [][2]string{{"Students (LLM-Distill-PP)", "students-llm-distill-pp"}, {"HAT's winners", "hat-s-winners"}, {"Hat's  Winners", "hat-s-winners-2"}, {"Größe", "gr-e"}} {
		if got := unique(taken, test[0]); got != test[1] {
			t.Errorf("%q: %s, want %s", test[0], got, test[1])
		}
	}
}

func TestClasses(t *testing.T) {
	for predictor, want := range map[string]class{
		"llm-pp": withLLM, "combined": withLLM, "combined:no-supernet": withLLM, "combined:no-llm": control, "student:ridge": distilled, "distill": distilled, "direct:ridge": control,
		"supernet": inherited, "supernet:hat": inherited, "surrogate": standIn, "control:flops": control,
	} {
		if got := classOf(predictor); got != want {
			t.Errorf("%s: class %d, want %d", predictor, got, want)
		}
	}
}

// TestHistogram counts every value once, the greatest too.
func TestHistogram(t *testing.T) {
	for _, values := range [][]float64{{1}, {1, 1, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 2.5}} {
		bars, n := histogram(values), 0.0
		for _, h := range bars.Heights {
			n += h
		}
		if int(n) != len(values) || len(bars.Edges) != len(bars.Heights)+1 {
			t.Errorf("%v: %v", values, bars)
		}
	}
}

// TestUndominated: cheaper and better stay, in both directions of the metric.
func TestUndominated(t *testing.T) {
	w := &writer{task: load14(t), art: &artifacts{}}
	points := []chart.Point{{X: 3, Y: 5}, {X: 1, Y: 2}, {X: 2, Y: 2}, {X: 2, Y: 4}, {X: 4, Y: 4.5}}
	if got, want := w.undominated(slices.Clone(points)), []chart.Point{{X: 1, Y: 2}, {X: 2, Y: 4}, {X: 3, Y: 5}}; !slices.Equal(got, want) {
		t.Errorf("more is better: %v, want %v", got, want)
	}
	w.task.Metric.Direction = "minimize"
	if got, want := w.undominated(slices.Clone(points)), []chart.Point{{X: 1, Y: 2}}; !slices.Equal(got, want) {
		t.Errorf("less is better: %v, want %v", got, want)
	}
}
