package ort

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// hugePage is the size of a large page on both architectures that hsnas is built for.
const hugePage = 2 << 20

// collapse is MADV_COLLAPSE of Linux 6.1, which older headers lack.
const collapse = 25

// LargePages asks Linux to keep the process's large allocations, weights above all, in
// pages of 2 MB: a decoder step, which reads every weight once, takes 0.9 to 0.95 of the
// time for it. It is called when the sessions are open. A system that cannot, or will not,
// goes on as it was.
func LargePages() {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		from, to, ok := anonymous(lines.Text())
		from, to = (from+hugePage-1)&^(hugePage-1), to&^(hugePage-1)
		if !ok || to <= from {
			continue
		}
		// Both only advise, and their failure changes nothing.
		if _, _, no := syscall.Syscall(syscall.SYS_MADVISE, from, to-from, syscall.MADV_HUGEPAGE); no == 0 {
			_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, from, to-from, collapse)
		}
	}
}

// anonymous reads a line of /proc/self/maps: the addresses of memory that is written and
// belongs to no file. Go's own heap, which has its name where the kernel keeps names, is not
// among them.
func anonymous(line string) (from, to uintptr, ok bool) {
	fields := strings.Fields(line)
	if len(fields) != 5 || fields[1] != "rw-p" {
		return 0, 0, false
	}
	n, err := fmt.Sscanf(fields[0], "%x-%x", &from, &to)
	return from, to, n == 2 && err == nil
}
