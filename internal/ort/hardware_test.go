package ort

import "testing"

// TestLikeliest: where the system cannot tell which of several GPUs computed, the
// record says so.
func TestLikeliest(t *testing.T) {
	a, b := Hardware{Name: "A", Driver: "x 1", MemoryBytes: 8}, Hardware{Name: "B", Driver: "x 1", MemoryBytes: 4}
	for _, test := range []struct {
		gpus []Hardware
		want Hardware
	}{
		{[]Hardware{a}, a},
		{[]Hardware{a, a}, a},
		{[]Hardware{b, a, b}, Hardware{Name: "one of A, B"}},
	} {
		if got := likeliest(test.gpus); got != test.want {
			t.Errorf("%v: %+v, want %+v", test.gpus, got, test.want)
		}
	}
}

// TestHardwareString: a processor is its name alone, as memory does not tell one from another.
func TestHardwareString(t *testing.T) {
	for want, h := range map[string]Hardware{
		"a CPU":                   {Name: "a CPU", MemoryBytes: 8 << 30},
		"a GPU, maker 5, 7.5 GiB": {Name: "a GPU", Driver: "maker 5", MemoryBytes: 15 << 29},
		"a GPU, maker 5":          {Name: "a GPU", Driver: "maker 5"},
		"one of A, B":             {Name: "one of A, B"},
	} {
		if h.String() != want {
			t.Errorf("got %q, want %q", h, want)
		}
	}
}

func TestNVIDIADriver(t *testing.T) {
	for text, want := range map[string]string{
		"NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu Feb 22 01:44:30 UTC 2024\nGCC version: 12\n":          "NVIDIA 550.54.14",
		"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  535.183.06  Release Build  (dvs-builder@U16)\nGCC version:": "NVIDIA 535.183.06",
		"": "NVIDIA",
	} {
		if got := nvidiaDriverOf(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
