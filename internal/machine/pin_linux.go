package machine

import (
	"math/bits"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// cores is a set of cores as the kernel has it, 1024 of them.
type cores [16]uint64

// Pin keeps the calling goroutine on one thread and that thread on one core, the last that
// it may run on (interrupts go to the first), until release is called. It reports whether
// the system let it. ONNX Runtime computes with one thread in the thread that calls it.
func Pin() (release func(), ok bool) {
	runtime.LockOSThread()
	var before, one cores
	if !affinity(syscall.SYS_SCHED_GETAFFINITY, &before) {
		runtime.UnlockOSThread()
		return func() {}, false
	}
	for i := len(before) - 1; i >= 0; i-- {
		if before[i] != 0 {
			one[i] = 1 << (63 - bits.LeadingZeros64(before[i]))
			break
		}
	}
	if !affinity(syscall.SYS_SCHED_SETAFFINITY, &one) {
		runtime.UnlockOSThread()
		return func() {}, false
	}
	return func() {
		affinity(syscall.SYS_SCHED_SETAFFINITY, &before)
		runtime.UnlockOSThread()
	}, true
}

// ThreadTime is the time that the calling thread has computed.
func ThreadTime() time.Duration {
	const thisThread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if err := syscall.Getrusage(thisThread, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// affinity reads or sets the calling thread's cores.
func affinity(call uintptr, set *cores) bool {
	_, _, no := syscall.RawSyscall(call, 0, unsafe.Sizeof(*set), uintptr(unsafe.Pointer(set)))
	return no == 0
}
