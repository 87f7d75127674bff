package report

import (
	"fmt"
	"math"
)

// students writes the regressors that were distilled from the labels.
func (w *writer) students() {
	w.heading(2, "Students (LLM-Distill-PP)")
	if len(w.art.students) == 0 {
		w.paragraph("No students: the run has no distill stage, or no labels to distil.")
		return
	}
	w.paragraph("Regressors fitted on the LLM's labels. The student of a split is chosen by cross-validation on labels (cv), without looking at the truth; " +
		"the last columns hold it against the truth afterwards.")
	var rows [][]string
	for _, s := range w.art.students {
		chosen := ""
		if s.Chosen {
			chosen = "chosen"
		}
		truth, _ := w.score("student:"+s.Student, s.Split)
		rows = append(rows, []string{
			s.Student, s.Split, s.Features, fmt.Sprint(s.Labels), number(s.CVMAE, 3), number(s.CVTau, 3),
			number(s.TeacherMAE, 3), chosen, number(truth.MAE, 3), number(truth.Tau, 3),
		})
	}
	w.table([]string{"student", "split", "features", ">labels", ">MAE (cv)", ">tau (cv)", ">MAE (training)", "", ">MAE (truth)", ">tau (truth)"}, rows)
	w.curve()
	w.exports()
}

// exports writes how far the ONNX models are from the Go implementation.
func (w *writer) exports() {
	if len(w.art.models) == 0 {
		return
	}
	var rows [][]string
	for _, m := range w.art.models {
		difference := absent
		if !math.IsNaN(m.MaxAbsDiffGo) {
			difference = fmt.Sprintf("%.1e", m.MaxAbsDiffGo)
		}
		rows = append(rows, []string{m.Name, m.Kind, m.Target, m.Features, fmt.Sprint(m.Bytes), difference})
	}
	w.heading(3, "Exported models")
	w.paragraph("ONNX files; the last column is the largest difference from the same predictor in Go.")
	w.table([]string{"model", "kind", "predicts", "features", ">bytes", ">difference"}, rows)
}

// latency writes the quality of the latency predictors.
func (w *writer) latency() {
	w.heading(2, "Latency predictors")
	if len(w.art.latency) == 0 {
		w.paragraph("None: the run has no latency stage.")
		return
	}
	w.paragraph("Errors on the test rows of each dataset, none of which the predictor was fitted to. Where several regressors were tried, the one with " +
		"the least cross-validated error (cv) on the other rows is chosen.")
	var rows [][]string
	for _, l := range w.art.latency {
		chosen := ""
		if l.Chosen {
			chosen = "chosen"
		}
		rows = append(rows, []string{
			l.Dataset, l.Device, l.Source, l.Regressor + " on " + l.Features, fmt.Sprintf("%d / %d / %d", l.NTrain, l.NValid, l.NTest),
			percent(l.CVMAPE), chosen, number(l.RMSEMS, 2), percent(l.MAPE), number(l.Tau, 3),
		})
	}
	w.table([]string{"dataset", "device", "source", "regressor", ">train / valid / test", ">MAPE (cv)", "", ">RMSE, ms", ">MAPE", ">tau"}, rows)
	w.drawLatency()
	w.steadiness()
}

// steadiness says how steady the machines were that were measured here.
func (w *writer) steadiness() {
	for _, l := range w.art.latency {
		if l.Chosen && !math.IsNaN(l.ControlCV) {
			text := fmt.Sprintf("While the dataset %s was timed, the control architecture's times varied by %s (coefficient of variation)", l.Dataset, percent(l.ControlCV))
			if !math.IsNaN(l.ControlDrift) {
				text += fmt.Sprintf(" and changed by %s from the first round to the last", percent(l.ControlDrift))
			}
			w.paragraph("%s.", text)
		}
	}
}
