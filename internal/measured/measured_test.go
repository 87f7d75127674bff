package measured

import (
	"errors"
	"strings"
	"testing"

	"hsnas/data"
	"hsnas/internal/config"
	"hsnas/internal/space"
	"hsnas/internal/task"
)

const digits = `name: digits
hyperparameters:
  - {name: layers, definition: number of layers, choices: [1, 2]}
  - {name: width, definition: units of each layer, layers: layers, choices: [32, 64]}
  - {name: activation, definition: activation function, choices: [relu, tanh]}
  - {name: rate, definition: learning rate, choices: [0.01, 0.1]}
`

func digitsSpace(t testing.TB) *space.Space {
	s, err := space.Parse("digits.yaml", []byte(digits))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var accuracy = task.Metric{Name: "accuracy", Direction: "maximize", Min: 0, Max: 1}

func TestParse(t *testing.T) {
	table, err := parse("scores.csv", []byte("width,activation,rate,score,latency_ms,set,layers,size\n"+
		"\"[64, 32]\",relu,0.1,0.9,1.5,test,2,7\n[32],tanh,0.010,0.8,1.25,demonstration,1,8\n[64],tanh,0.01,0.7,1.75,extra,1,9\n"), digitsSpace(t), accuracy)
	if err != nil {
		t.Fatal(err)
	}
	if len(table.Rows) != 3 || table.Rows[2].Set != Extra || table.File != "scores.csv" || !table.Sets || len(table.Costs) != 2 || table.Costs[0] != (Cost{"latency_ms", "ms"}) || table.Costs[1] != (Cost{"size", ""}) {
		t.Fatalf("table %+v", table)
	}
	first := table.Rows[0]
	if got := first.Arch.String(); got != `{"width":[64,32],"activation":"relu","rate":0.1}` || first.Score != 0.9 || first.Costs[0] != 1.5 || first.Set != Test || first.Line != 2 {
		t.Errorf("first row %s %+v", got, first)
	}
}

// Every table that ships is of the task of its name, and has no column that would
// count as a cost by mistake.
func TestEveryTableThatShips(t *testing.T) {
	for _, name := range data.Tables() {
		on, err := task.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		table, err := Read(on)
		if err != nil {
			t.Fatal(err)
		}
		if on.Data.Table != name || !table.Sets || len(table.Costs) != 0 {
			t.Errorf("task %s names the table %q, which has sets: %v, costs: %v", name, on.Data.Table, table.Sets, table.Costs)
		}
	}
}

func TestParseFaults(t *testing.T) {
	head := "width,activation,rate,score\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":        {"", "t.csv:1: no header, expected the names of the hyperparameters and score"},
		"no rows":      {head, "t.csv:1: no rows after the header, expected one for each measured architecture"},
		"missing":      {"width,activaton,rate,score\n", `t.csv:1: no column for the hyperparameter "activation"; is "activaton" meant?`},
		"no score":     {"width,activation,rate,acc\n", `t.csv:1: no column "score", expected the measured accuracy of each architecture`},
		"twice":        {"width,width,rate,score\n", `t.csv:1: column 2 is "width", expected a name that no other column has`},
		"columns":      {head + "[32],relu,0.1\n", "t.csv:2: malformed CSV: wrong number of fields, expected 4 columns as in the header"},
		"no list":      {head + "32,relu,0.1,0.5\n", `t.csv:2: column width is "32", expected a list like [64, 32], one value for each layer`},
		"no choice":    {head + "[32],relu,0.1,0.5\n[32],gelu,0.1,0.5\n", `t.csv:3: column activation is "gelu", expected one of relu, tanh`},
		"list choice":  {head + "\"[32,65]\",relu,0.1,0.5\n", `t.csv:2: column width is "[32,65]", expected one of 32, 64`},
		"no number":    {head + "[32],relu,0.1,high\n", `t.csv:2: column score is "high", expected a number`},
		"out of range": {head + "[32],relu,0.1,93\n", `t.csv:2: column score is "93", expected accuracy from 0 to 1`},
		"set":          {"width,activation,rate,score,set\n[32],relu,0.1,0.5,train\n", `t.csv:2: column set is "train", expected demonstration, test or extra`},
		"depth":        {"width,activation,rate,score,layers\n[32],relu,0.1,0.5,2\n", `t.csv:2: column layers is "2", but the lists have 1 layers`},
		"again":        {head + "[32],relu,0.1,0.5\n[32],relu,0.10,0.6\n", "t.csv:3: the architecture of line 2 again, expected each once"},
		"cost":         {"width,activation,rate,score,ms\n[32],relu,0.1,0.5,NaN\n", `t.csv:2: column ms is "NaN", expected a number`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse("t.csv", []byte(c.text), digitsSpace(t), accuracy)
			var fault *config.Error
			if !errors.As(err, &fault) || err.Error() != c.want {
				t.Errorf("error %v\nwant  %s", err, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add("width,activation,rate,score,latency_ms\n\"[64, 32]\",relu,0.1,0.9,1.5\n")
	f.Add("width,activation,rate,score,set,layers\n[32],tanh,0.01,0.9,test,1\n")
	s := digitsSpace(f)
	f.Fuzz(func(t *testing.T, text string) {
		if table, err := parse("f", []byte(text), s, accuracy); err == nil && len(table.Rows) == 0 {
			t.Error("no rows and no error", strings.Count(text, "\n"))
		}
	})
}
