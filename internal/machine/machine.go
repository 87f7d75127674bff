// Package machine reads what a time depends on beside the program: how busy the machine is,
// its clock governor, its temperature, and how much memory the process has needed. What a
// system does not say is NaN or "".
package machine

import (
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Load is the load average of the last minute, processes that run or wait for a core.
func Load() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return math.NaN()
	}
	return number(strings.Fields(string(text)), 1)
}

// Governor is the first core's clock governor, "performance" for one; "" on most virtual
// machines.
func Governor() string {
	text, _ := os.ReadFile("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
	return strings.TrimSpace(string(text))
}

// Temperature is that of the hottest sensor in degrees Celsius.
func Temperature() float64 {
	files, _ := filepath.Glob("/sys/class/thermal/thermal_zone*/temp")
	hottest := math.NaN()
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		if t := number(strings.Fields(string(text)), 1000); !(t <= hottest) {
			hottest = t
		}
	}
	return hottest
}

// PeakMemory is the largest resident size of the process so far, or since ResetPeakMemory,
// in bytes; 0 where it is not known.
func PeakMemory() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes := number(strings.Fields(rest), 1)
			if kilobytes > 0 {
				return int64(kilobytes) << 10
			}
		}
	}
	return 0
}

// ResetPeakMemory begins PeakMemory anew, where the system can.
func ResetPeakMemory() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// number is the first field divided by unit.
func number(fields []string, unit float64) float64 {
	if len(fields) == 0 {
		return math.NaN()
	}
	x, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return math.NaN()
	}
	return x / unit
}
