// Package torture holds the tests that end hsnas at every step of every stage, and
// fail its disk, and look what is left: `just torture`. See docs/crash-safety.md.
package torture
