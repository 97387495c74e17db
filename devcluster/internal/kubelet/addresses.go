package kubelet

import (
	"encoding/binary"
	"net/netip"
	"sync"
)

// podRange holds eight million pod addresses.
var podRange = netip.MustParsePrefix("10.128.0.0/9")

// addresses hands out pod addresses in ascending order, from the start again when the range is used up.
type addresses struct {
	mu   sync.Mutex
	last uint32 // offset in podRange of the latest one
}

// avoid makes next answer addresses above one that is in use.
func (a *addresses) avoid(text string) {
	address, err := netip.ParseAddr(text)
	if err != nil || !podRange.Contains(address) {
		return
	}
	bytes, first := address.As4(), podRange.Addr().As4()
	offset := binary.BigEndian.Uint32(bytes[:]) - binary.BigEndian.Uint32(first[:])
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = max(a.last, offset)
}

func (a *addresses) next() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	size := uint32(1) << (32 - podRange.Bits())
	a.last = a.last%(size-1) + 1 // never 0, the address of the range itself
	first := podRange.Addr().As4()
	var bytes [4]byte
	binary.BigEndian.PutUint32(bytes[:], binary.BigEndian.Uint32(first[:])+a.last)
	return netip.AddrFrom4(bytes).String()
}
