//go:build !linux

package machine

import "time"

// ThreadTime is not known here.
func ThreadTime() time.Duration { return 0 }

// Pin does nothing here.
func Pin() (release func(), ok bool) { return func() {}, false }
