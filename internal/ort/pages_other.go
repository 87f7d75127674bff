//go:build !linux

package ort

// LargePages does nothing here.
func LargePages() {}
