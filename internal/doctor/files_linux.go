package doctor

import (
	"fmt"
	"syscall"
)

// enoughFiles is room for a connection for each of the LLM's requests in flight and
// the files of a run.
const enoughFiles = 1024

// openFiles looks at how many files the process may have open; Go has raised the
// limit to the hard one already.
func openFiles() Check {
	c := Check{Name: "open-files", State: OK}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		c.Found = "not told by this system"
		return c
	}
	c.Found = fmt.Sprintf("%d at once", limit.Cur)
	if limit.Cur < enoughFiles {
		c.State, c.Advice = Warning, fmt.Sprintf("live answers with many requests in flight may want more: ulimit -n %d", enoughFiles)
	}
	return c
}

// fileSystems are Linux's numbers of file systems that are told apart here.
var fileSystems = map[int64]string{
	0x01021994: "tmpfs", 0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x6969: "nfs", 0x0bd00bd0: "lustre",
	0x47504653: "gpfs", 0x794c7630: "overlay", 0x65735546: "fuse", 0x2fc12fc1: "zfs", 0xff534d42: "cifs", 0xfe534d42: "smb2",
}

// space is the free space at a folder in bytes, and the kind of file system, "" where
// it is not one of those above.
func space(folder string) (free int64, kind string, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, "", err
	}
	return int64(s.Bavail) * s.Bsize, fileSystems[int64(uint32(s.Type))], nil
}
