package distill

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"hsnas/internal/measured"
	"hsnas/internal/predictor"
	"hsnas/internal/space"
	"hsnas/internal/task"
	"hsnas/schemas"
)

// data is everything that the stage reads, joined by architecture.
type data struct {
	task      *task.Task
	archs     map[string]space.Architecture
	truth     map[string]float64
	supernets map[string]map[string]float64 // supernet, architecture
	trained   map[string]float64            // what the run's own supernet says, by architecture; nil without one
	costs     map[string]map[string]float64 // cost, architecture
	costNames []string                      // in file order
	table     []string                      // all architectures of the task's table, in file order
	splits    []*split
}

// split is one division into demonstrations and test, with what the LLM said.
type split struct {
	name                 string
	demonstrations, test []string // architecture ids in file order
	said                 map[string]float64
	heldOut              map[string]float64 // about demonstrations that the prompt did not show
	gaps                 int                // test architectures without an answer
	labelled             []string           // unlabelled architectures with an answer, in order
	labels               []float64
}

func read(in Inputs) (*data, error) {
	d := &data{
		task: in.Task, archs: map[string]space.Architecture{}, truth: map[string]float64{},
		supernets: map[string]map[string]float64{}, costs: map[string]map[string]float64{},
	}
	if err := d.readArchitectures(in.Architectures); err != nil {
		return nil, err
	}
	if err := d.readFigures(in); err != nil {
		return nil, err
	}
	if err := d.readTrained(in.Trained); err != nil {
		return nil, err
	}
	if err := d.readTable(); err != nil {
		return nil, err
	}
	labels, err := schemas.ReadLabels(in.Labels)
	if err != nil {
		return nil, err
	}
	for _, s := range d.splits {
		s.readLabels(labels)
	}
	return d, d.check(in)
}

// check refuses artifacts that do not fit together.
func (d *data) check(in Inputs) error {
	for _, s := range d.splits {
		for _, id := range slices.Concat(s.demonstrations, s.test) {
			if _, ok := d.truth[id]; !ok {
				return fmt.Errorf("distill: architecture %s of split %s has no measured %s in %s: run tfs again", id, s.name, in.Task.Metric.Name, in.TFS)
			}
			if _, ok := d.trained[id]; d.trained != nil && !ok {
				return fmt.Errorf("distill: architecture %s of split %s has no score in %s: run supernet again", id, s.name, in.Trained)
			}
		}
	}
	if len(d.splits) == 0 {
		return fmt.Errorf("distill: %s has no split: run sample again", in.Architectures)
	}
	return nil
}

func (d *data) readArchitectures(path string) error {
	rows, err := schemas.ReadArchitectures(path)
	if err != nil {
		return err
	}
	for _, r := range rows {
		a, err := d.task.Space.ParseArchitecture([]byte(r.Architecture))
		if err != nil {
			return fmt.Errorf("distill: %s: %s: %w", path, r.ID, err)
		}
		d.archs[r.ID] = a
		switch r.Set {
		case schemas.SetDemonstration:
			s := d.split(r.Split)
			s.demonstrations = append(s.demonstrations, r.ID)
		case schemas.SetTest:
			s := d.split(r.Split)
			s.test = append(s.test, r.ID)
		}
	}
	return nil
}

// split returns the split of a name, a new one if need be.
func (d *data) split(name string) *split {
	for _, s := range d.splits {
		if s.name == name {
			return s
		}
	}
	s := &split{name: name, said: map[string]float64{}, heldOut: map[string]float64{}}
	d.splits = append(d.splits, s)
	return s
}

func (d *data) readFigures(in Inputs) error {
	truth, err := schemas.ReadTFS(in.TFS)
	if err != nil {
		return err
	}
	for _, r := range truth {
		d.truth[r.ID] = r.Score
	}
	supernets, err := schemas.ReadSupernetScores(in.Supernet)
	if err != nil {
		return err
	}
	for _, r := range supernets {
		put(d.supernets, r.Supernet, r.ID, r.Score)
	}
	costs, err := schemas.ReadMeasuredCosts(in.Costs)
	if err != nil {
		return err
	}
	for _, r := range costs {
		if d.costs[r.Cost] == nil {
			d.costNames = append(d.costNames, r.Cost)
		}
		put(d.costs, r.Cost, r.ID, r.Value)
	}
	return nil
}

// readTrained reads what the run's own supernet says: minus the loss with
// inherited weights, so that larger is better.
func (d *data) readTrained(path string) error {
	if path == "" {
		return nil
	}
	rows, err := schemas.ReadSupernetScores(path)
	if err != nil {
		return err
	}
	d.trained = map[string]float64{}
	for _, r := range rows {
		d.trained[r.ID] = r.Score
	}
	return nil
}

// readTable brings the architectures of the task's table that no split holds:
// their costs are known too.
func (d *data) readTable() error {
	if d.task.Data.Table == "" {
		return nil
	}
	table, err := measured.Read(d.task)
	if err != nil {
		return fmt.Errorf("distill: %w", err)
	}
	for _, row := range table.Rows {
		d.archs[row.Arch.ID()] = row.Arch
		d.table = append(d.table, row.Arch.ID())
	}
	return nil
}

func put(m map[string]map[string]float64, name, id string, value float64) {
	if m[name] == nil {
		m[name] = map[string]float64{}
	}
	m[name][id] = value
}

// readLabels takes the split's labels: the mean over the samples of an answer.
func (s *split) readLabels(rows []schemas.Label) {
	sums, counts := map[string]float64{}, map[string]float64{}
	var order []string
	for _, r := range rows {
		if r.Split != s.name || math.IsNaN(r.Prediction) {
			continue
		}
		key := r.Set + " " + r.ID
		if counts[key] == 0 && r.Set == schemas.SetUnlabelled {
			order = append(order, r.ID)
		}
		sums[key] += r.Prediction
		counts[key]++
	}
	for _, id := range s.test {
		key := schemas.SetTest + " " + id
		if counts[key] > 0 {
			s.said[id] = sums[key] / counts[key]
		} else {
			s.gaps++
		}
	}
	for _, id := range s.demonstrations {
		if key := schemas.SetDemonstration + " " + id; counts[key] > 0 {
			s.heldOut[id] = sums[key] / counts[key]
		}
	}
	for _, id := range order {
		key := schemas.SetUnlabelled + " " + id
		s.labelled, s.labels = append(s.labelled, id), append(s.labels, sums[key]/counts[key])
	}
}

func (d *data) architectures(ids []string) []space.Architecture {
	out := make([]space.Architecture, len(ids))
	for i, id := range ids {
		out[i] = d.archs[id]
	}
	return out
}

func (d *data) truths(ids []string) []float64 {
	out := make([]float64, len(ids))
	for i, id := range ids {
		out[i] = d.truth[id]
	}
	return out
}

// demonstrated are a split's demonstrations, all that its controls may look at.
func (d *data) demonstrated(s *split) predictor.Demonstrations {
	return predictor.Demonstrations{Archs: d.architectures(s.demonstrations), Truth: d.truths(s.demonstrations)}
}

// lines are the figures that controls fit a line to: measured costs, and what
// the run's own supernet says.
func (d *data) lines() []predictor.Column {
	var out []predictor.Column
	for _, name := range d.costNames {
		out = append(out, column(name, d.costs[name]))
	}
	if d.trained != nil {
		out = append(out, column(strings.TrimPrefix(SupernetLine, "control:"), d.trained))
	}
	return out
}

// column makes a figure by architecture something that controls are fitted to.
func column(name string, values map[string]float64) predictor.Column {
	return predictor.Column{Name: name, Value: func(a space.Architecture) (float64, error) {
		v, ok := values[a.ID()]
		if !ok {
			return 0, fmt.Errorf("architecture %s has no %s", a.ID(), name)
		}
		return v, nil
	}}
}
