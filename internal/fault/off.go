//go:build !faults

// Package fault names the points at which a test ends the process or has the
// disk fail. In a program as it is built for use the functions are empty, or the
// plain operation, and nothing is left of them. With the build tag faults the
// variable HSNAS_FAULT says what happens where, and HSNAS_FAULT_TRACE names a
// file that lists every point that was passed; see docs/crash-safety.md.
package fault

import "os"

// Stage names the stage that the points after it belong to; "" for none.
func Stage(string) {}

// Point is a step of the program's, with the file at path or, where that is "", none:
// the process may end here.
func Point(name, path string) {}

// Op comes before an operation on the disk: the process may end here, or the
// operation fail with the error that is returned.
func Op(name, path string) error { return nil }

// Write writes to f, the content of path: the process may end, or the disk fail,
// when a part has been written.
func Write(f *os.File, path string, p []byte) (int, error) { return f.Write(p) }
