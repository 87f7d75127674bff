package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// enoughMemory is what the experiments that ship take at most, with as much again for
// the system's cache of files, in bytes.
const enoughMemory = 4 << 30

// memory looks at what is free now, and at a limit on the process group.
func (h Host) memory() Check {
	c := Check{Name: "memory", State: OK, Found: "not told by this system"}
	total, available := h.meminfo("MemTotal"), h.meminfo("MemAvailable")
	if total == 0 {
		return c
	}
	c.Found = fmt.Sprintf("%s, of which %s available", gib(total), gib(available))
	if limit, err := strconv.ParseInt(h.text("sys/fs/cgroup/memory.max"), 10, 64); err == nil && limit < total {
		c.Found += fmt.Sprintf(", limited to %s", gib(limit))
		available = min(available, limit)
	}
	c.Details = map[string]int64{"total_bytes": total, "available_bytes": available}
	if available < enoughMemory {
		c.State, c.Advice = Warning, fmt.Sprintf("models of the WMT tasks want %s: close other programs, or lower latency measure --memory", gib(enoughMemory))
	}
	return c
}

// meminfo is a line of /proc/meminfo in bytes, 0 where there is none.
func (h Host) meminfo(name string) int64 {
	for line := range strings.Lines(h.text("proc/meminfo")) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// pages looks at pages of 2 MB, which hsnas asks for where its weights lie.
func (h Host) pages() Check {
	c := Check{Name: "pages", State: OK, Found: "no setting for pages of 2 MB on this system"}
	setting := h.text("sys/kernel/mm/transparent_hugepage/enabled")
	_, chosen, _ := strings.Cut(setting, "[")
	chosen, _, ok := strings.Cut(chosen, "]")
	if !ok {
		return c
	}
	c.Found = "pages of 2 MB: " + chosen
	if chosen == "never" {
		c.State = Warning
		c.Advice = "decoding takes up to a tenth longer: as root, echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"
	}
	return c
}
