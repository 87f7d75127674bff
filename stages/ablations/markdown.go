package ablations

import (
	"bytes"
	"fmt"
	"math"
	"strings"

	"hsnas/schemas"
)

// Markdown is the table in the paper's layout: a row for each variant, mean
// absolute error and Kendall's tau as mean and standard deviation over the splits,
// with what the paper leaves out: how often as good as the reference, and cost.
func Markdown(rows []schemas.Ablation) []byte {
	var b bytes.Buffer
	metric := ""
	if len(rows) > 0 {
		metric = rows[0].Metric
	}
	fmt.Fprintf(&b, "| prompt | MAE, %s ↓ | Kendall tau ↑ | p (MAE) | p (tau) | answered | kilotokens | dollars | |\n|---|---|---|---|---|---|---|---|---|\n", metric)
	group := ""
	for _, r := range rows {
		if r.Split != schemas.SplitMean {
			continue
		}
		if r.Group != group && r.Group != "" {
			fmt.Fprintf(&b, "| *%s* | | | | | | | | |\n", r.Group)
		}
		group = r.Group
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %d of %d | %s | %s | %s |\n", r.Cell,
			withStd(r.MAE, r.MAEStd), withStd(r.Tau, r.TauStd), number(r.PMAE, 3), number(r.PTau, 3),
			r.Answered, r.Requests, tokens(r), number(r.Dollars, 2), remark(r))
	}
	return b.Bytes()
}

// remark is the row's note, and what the numbers do not say.
func remark(r schemas.Ablation) string {
	var parts []string
	if !math.IsNaN(r.Spread) {
		parts = append(parts, "spread over samples "+number(r.Spread, 2))
	}
	if r.Note != "" {
		parts = append(parts, r.Note)
	}
	return strings.Join(parts, "; ")
}

func tokens(r schemas.Ablation) string {
	text := fmt.Sprintf("%.1f", float64(r.PromptTokens+r.CompletionTokens)/1000)
	if r.TokensEstimated {
		text = "≈ " + text
	}
	return text
}

// withStd writes a figure with its deviation over the splits, where there are
// several.
func withStd(x, std float64) string {
	if math.IsNaN(x) || math.IsNaN(std) {
		return number(x, 3)
	}
	return number(x, 3) + " ± " + number(std, 3)
}

func number(x float64, decimals int) string {
	if math.IsNaN(x) {
		return "-"
	}
	return fmt.Sprintf("%.*f", decimals, x)
}
