package netlab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	tunPath = "/dev/net/tun"

	// wireName is the device's name, the same in both namespaces.
	wireName = "wire"

	wireMTU = 1500

	// wireQueue is how many packets wait for the relay to read them. The default of
	// 500 is less than one TCP window, so the kernel would lose packets uncounted.
	wireQueue = 4096
)

// openWire makes the TUN device in the namespace of the calling thread. Closing the
// file removes the device.
//
// Without IFF_VNET_HDR the device has no offloads: the kernel splits large segments
// and completes checksums before the packet is read.
func openWire() (*os.File, error) {
	fd, err := unix.Open(tunPath, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
		return nil, fmt.Errorf("netlab: %s is not there: load the module (modprobe tun), or give the container this device: %w", tunPath, err)
	}
	if err != nil {
		return nil, fmt.Errorf("netlab: cannot open %s: %w", tunPath, err)
	}
	request, err := unix.NewIfreq(wireName)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("netlab: cannot create the TUN device %q: %w", wireName, err), unix.Close(fd))
	}
	// Only after TUNSETIFF: before it, polling the file reports an error, and the
	// runtime's poller would not serve it.
	return os.NewFile(uintptr(fd), tunPath), nil
}

// configureWire gives the device its addresses and sets it and loopback up, in the
// namespace that handle was opened in.
func configureWire(handle *netlink.Handle, addresses ...netip.Prefix) error {
	loopback, err := handle.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("netlab: cannot find the loopback device: %w", err)
	}
	if err := handle.LinkSetUp(loopback); err != nil {
		return fmt.Errorf("netlab: cannot set the loopback device up: %w", err)
	}
	wire, err := handle.LinkByName(wireName)
	if err != nil {
		return fmt.Errorf("netlab: cannot find the TUN device %q: %w", wireName, err)
	}
	if err := handle.LinkSetMTU(wire, wireMTU); err != nil {
		return fmt.Errorf("netlab: cannot set the MTU of %q to %d: %w", wireName, wireMTU, err)
	}
	if err := handle.LinkSetTxQLen(wire, wireQueue); err != nil {
		return fmt.Errorf("netlab: cannot set the queue of %q to %d packets: %w", wireName, wireQueue, err)
	}
	for _, prefix := range addresses {
		address := &netlink.Addr{IPNet: &net.IPNet{
			IP:   prefix.Addr().AsSlice(),
			Mask: net.CIDRMask(prefix.Bits(), prefix.Addr().BitLen()),
		}}
		if prefix.Addr().Is6() {
			// Otherwise the address is tentative, and cannot be bound, until a worker of the
			// kernel has found that this link has no neighbours to ask for duplicates.
			address.Flags = unix.IFA_F_NODAD
		}
		if err := handle.AddrAdd(wire, address); err != nil {
			return fmt.Errorf("netlab: cannot give %q the address %s: %w", wireName, prefix, err)
		}
	}
	if err := handle.LinkSetUp(wire); err != nil {
		return fmt.Errorf("netlab: cannot set %q up: %w", wireName, err)
	}
	return nil
}
