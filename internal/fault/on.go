//go:build faults

package fault

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// plan is what HSNAS_FAULT asks for: ACTION@STAGE:POINT:FILE#N, at the N-th time
// (1 where left out) that the point is passed with that file, and with a + behind
// it at every time from then on. An empty part matches everything.
type plan struct {
	action             string // kill, short or an error of the system
	stage, point, file string
	n                  int
	on                 bool
}

// errnos are the actions that are errors of the system.
var errnos = map[string]syscall.Errno{
	"ENOSPC": syscall.ENOSPC, "EIO": syscall.EIO, "EROFS": syscall.EROFS, "EMFILE": syscall.EMFILE, "EDQUOT": syscall.EDQUOT,
}

var state = struct {
	sync.Mutex
	plan
	stage  string
	passed int // points that match the plan
	trace  *os.File
}{plan: parse(os.Getenv("HSNAS_FAULT")), trace: open(os.Getenv("HSNAS_FAULT_TRACE"))}

func parse(text string) plan {
	if text == "" {
		return plan{}
	}
	action, where, _ := strings.Cut(text, "@")
	where, number, _ := strings.Cut(where, "#")
	number, on := strings.CutSuffix(number, "+")
	parts := strings.Split(where, ":")
	n, err := strconv.Atoi(number)
	if number == "" {
		n, err = 1, nil
	}
	if _, known := errnos[action]; !known && action != "kill" && action != "short" || len(parts) != 3 || err != nil || n < 1 {
		panic(fmt.Sprintf("HSNAS_FAULT is %q, expected ACTION@STAGE:POINT:FILE#N", text))
	}
	return plan{action, parts[0], parts[1], parts[2], n, on}
}

func open(path string) *os.File {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		panic(err)
	}
	return f
}

// Stage names the stage that the points after it belong to; "" for none.
func Stage(name string) {
	state.Lock()
	defer state.Unlock()
	state.stage = name
}

// Point is a step of the program's, with the file at path or, where that is "", none:
// the process may end here.
func Point(name, path string) {
	if pass(name, path) == "kill" {
		die()
	}
}

// Op comes before an operation on the disk: the process may end here, or the
// operation fail with the error that is returned.
func Op(name, path string) error {
	switch action := pass(name, path); action {
	case "":
		return nil
	case "kill":
		die()
		return nil
	default:
		return failure(action, name, path)
	}
}

// Write writes to f, the content of path: the process may end, or the disk fail,
// when a part has been written.
func Write(f *os.File, path string, p []byte) (int, error) {
	action := pass("write", path)
	if action == "" {
		return f.Write(p)
	}
	n, err := f.Write(p[:len(p)/2])
	if action == "kill" {
		die()
	}
	if err == nil {
		err = failure(action, "write", path)
	}
	return n, err
}

func failure(action, name, path string) error {
	if action == "short" {
		return &fs.PathError{Op: name, Path: path, Err: io.ErrShortWrite}
	}
	return &fs.PathError{Op: name, Path: path, Err: errnos[action]}
}

// pass counts a point and returns what is to happen there, "" for nothing.
func pass(point, path string) string {
	file := ""
	if path != "" {
		file = filepath.Base(path)
	}
	state.Lock()
	defer state.Unlock()
	if state.trace != nil {
		fmt.Fprintf(state.trace, "%s\t%s\t%s\n", state.stage, point, file)
	}
	p := &state.plan
	if p.action == "" || !matches(p.stage, state.stage) || !matches(p.point, point) || !matches(p.file, file) {
		return ""
	}
	state.passed++
	if state.passed == p.n || p.on && state.passed > p.n {
		return p.action
	}
	return ""
}

func matches(want, got string) bool { return want == "" || want == got }

// die ends the process as kill -9 does.
func die() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // the signal is on its way
}
