package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"hsnas/internal/atomicfile"
)

// damagedFolder is where damaged files go, under their own path: for a person to look
// at, nothing reads them.
const damagedFolder = "damaged"

// asideName is where a damaged file goes, relative to the run directory. The name ends
// in the file's checksum, so that the same damage has one name and other damage another.
func asideName(dir, artifact string, now checksum) string {
	to := path.Join(damagedFolder, artifact)
	if len(now.SHA256) >= 16 {
		return to + "." + now.SHA256[:16]
	}
	return unused(dir, to+".unreadable")
}

// setAside moves a damaged file of the run directory into damagedFolder and returns
// its new place, relative to the run directory.
func setAside(dir, artifact string, now checksum) (string, error) {
	to := asideName(dir, artifact, now)
	place := local(dir, to)
	err := atomicfile.MkdirAll(filepath.Dir(place))
	if err == nil {
		err = atomicfile.Rename(local(dir, artifact), place)
	}
	if err != nil {
		var link *os.LinkError
		if errors.As(err, &link) {
			err = link.Err
		}
		return "", fmt.Errorf("cannot move the damaged %s to %s: %w", local(dir, artifact), place, cause(err))
	}
	return to, nil
}

// unused returns a name that no file has: the one given, or with a number.
func unused(dir, name string) string {
	for n, try := 2, name; ; n++ {
		if _, err := os.Lstat(local(dir, try)); errors.Is(err, fs.ErrNotExist) {
			return try
		}
		try = name + "-" + strconv.Itoa(n)
	}
}

// asideDamaged moves the outputs of a stage away that are not what it wrote, before
// it writes them again.
func (r *run) asideDamaged(stage string) error {
	was := r.manifest.Record(stage)
	if was == nil || was.State != Done {
		return nil
	}
	for _, a := range was.Outputs {
		if r.fault(a) != string(Damaged) {
			continue
		}
		to, err := setAside(r.dir, a.Path, r.sums[a.Path])
		if err != nil {
			return err
		}
		r.report.Logf("%-10s moved the damaged %s to %s", stage, a.Path, to)
	}
	return nil
}

// asideExperiment moves a configuration away that is not what a run wrote, before it is
// written again.
func (r *run) asideExperiment() error {
	text, err := os.ReadFile(ExperimentFile(r.dir))
	if err != nil || experimentWhole(text, r.manifest) {
		return nil
	}
	to, err := setAside(r.dir, experimentName, sumOf(r.dir, experimentName))
	if err == nil {
		r.report.Logf("moved the damaged %s to %s", experimentName, to)
	}
	return err
}
