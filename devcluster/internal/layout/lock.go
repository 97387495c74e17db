package layout

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Acquire takes the folder for this process until it ends, however it ends. It refuses a folder that another one has.
// The lock is the open file, so the caller keeps it.
func (d Dir) Acquire() (*os.File, error) {
	file, err := os.OpenFile(d.Lock(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot lock %s: %w", d, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("cannot lock %s: %w", d, err)
		}
		owner, _ := os.ReadFile(d.Lock())
		return nil, fmt.Errorf("a cluster already runs in %s (process %s); stop it first or name another folder",
			d, strings.TrimSpace(string(owner)))
	}
	if err := file.Truncate(0); err != nil {
		return nil, err
	}
	if _, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		return nil, err
	}
	return file, nil
}
