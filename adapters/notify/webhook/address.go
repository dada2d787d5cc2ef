package webhook

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
)

// errPrivate says that a name leads to an address that is not for everybody.
var errPrivate = errors.New("the address is not one of the public internet")

// guard is asked about each address that is dialled, after its name was resolved: whoever
// registers an endpoint could else have this program talk to machines that only it can
// reach. Redirects are not followed, so nothing leads around it. Only what is allowed by
// name is let pass where nothing is hidden on the way.
func guard(allowed []netip.Prefix, open bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return errPrivate
		}
		addr := at.Addr().Unmap().WithZone("")
		if slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(addr) }) || !open && public(addr) {
			return nil
		}
		return errPrivate
	}
}

// special are the blocks of the IANA registries of special addresses that are not of the
// public internet, beside those that net/netip knows, and those of IPv6 that hold an
// address of IPv4 (NAT64, 6to4, Teredo).
var special = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

// global is all of IPv6 that is given out.
var global = netip.MustParsePrefix("2000::/3")

func public(a netip.Addr) bool {
	if !a.IsValid() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || a.Is6() && !global.Contains(a) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}
