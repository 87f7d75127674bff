//go:build !linux

package micro

// threadSeconds is not known here.
func threadSeconds() float64 { return 0 }
