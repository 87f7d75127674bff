//go:build !linux

package latency

import "time"

// haveThreadTime says whether threadTime knows anything.
const haveThreadTime = false

// threadTime is not known here.
func threadTime() time.Duration { return 0 }
