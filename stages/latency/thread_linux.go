package latency

import (
	"syscall"
	"time"
	"unsafe"
)

// haveThreadTime says whether threadTime knows anything.
const haveThreadTime = true

// threadTime is how long the calling thread has computed. The resource usage that
// the system also keeps of a thread is brought up to date at clock ticks alone,
// 4 ms apart.
func threadTime() time.Duration {
	const thisThread = 3 // CLOCK_THREAD_CPUTIME_ID
	var t syscall.Timespec
	if _, _, fault := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, thisThread, uintptr(unsafe.Pointer(&t)), 0); fault != 0 {
		return 0
	}
	return time.Duration(t.Nano())
}
