package report

import (
	"hsnas/schemas"
)

// lineage names every file that the page was made of, by content.
func (w *writer) lineage(prov schemas.Provenance) {
	w.heading(2, "Lineage")
	w.paragraph("Made of these files (SHA-256) by stage %s, version %d, key `%s`.", prov.Stage, prov.StageVersion, prov.Key)
	var rows [][]string
	for _, f := range w.art.files {
		rows = append(rows, []string{f.name, "`" + f.sha256 + "`"})
	}
	w.foldedTable([]string{"file", "SHA-256"}, rows)
}
