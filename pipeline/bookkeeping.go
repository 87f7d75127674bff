package pipeline

import (
	"context"
	"time"
)

// took counts the time since start as spent on manifest and checksums.
func (st *state) took(start time.Time) { st.spent += time.Since(start) }

// spentSince returns the seconds that manifest and checksums took since it was called
// last: what the log of a stage says, for everyone to see what certainty costs.
func (st *state) spentSince() float64 {
	seconds := st.spent.Seconds()
	st.spent = 0
	return seconds
}

// store writes the manifest.
func (st *state) store() error {
	defer st.took(time.Now())
	return st.manifest.write(st.dir)
}

// sumOutside returns the checksum of a file or folder outside the run directory. Stages
// that read the same ones share it until a stage runs.
func (st *state) sumOutside(place string) (string, error) {
	if sum, ok := st.external[place]; ok {
		return sum, nil
	}
	sum, err := sumExternal(place)
	if err == nil {
		if st.external == nil {
			st.external = map[string]string{}
		}
		st.external[place] = sum
	}
	return sum, err
}

// freshIngredients hashes what a stage is about to read once more: the stages before it
// may have taken hours since the run looked at these files.
func (r *run) freshIngredients(ctx context.Context, s Stage) (Ingredients, error) {
	var files []string
	for _, artifact := range s.Inputs {
		if record := r.manifest.Record(r.producer[artifact]); record != nil {
			for _, a := range record.files(artifact) {
				files = append(files, a.Path)
			}
		}
	}
	if err := r.hash(ctx, files); err != nil {
		return Ingredients{}, err
	}
	clear(r.external)
	return r.ingredients(s, nil)
}
