package netlab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// errClosed answers every call on a namespace whose lab was closed.
var errClosed = errors.New("netlab: the lab is closed")

// Namespace is one end of the wire. Its methods may be called concurrently.
type Namespace struct {
	ipv4, ipv6 netip.Addr
	wire       *os.File

	// ended is done when the lab closes, and ends the programs inside.
	ended context.Context

	mutex  sync.RWMutex // guards handle against Close
	handle netns.NsHandle
}

// newNamespace makes a namespace with its end of the wire, not yet relayed. On
// failure nothing is left.
func newNamespace(ended context.Context, ipv4, ipv6 netip.Prefix) (*Namespace, error) {
	handle, err := unshareNetwork()
	if err != nil {
		return nil, err
	}
	n := &Namespace{ipv4: ipv4.Addr(), ipv6: ipv6.Addr(), ended: ended, handle: handle}
	if err := n.addWire(ipv4, ipv6); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

// unshareNetwork makes a network namespace and leaves the calling thread in its own.
func unshareNetwork() (netns.NsHandle, error) {
	handle := netns.None()
	err := keepNamespace(func() error {
		fresh, err := netns.New()
		if errors.Is(err, unix.EPERM) {
			return fmt.Errorf("netlab: making network namespaces needs root (CAP_SYS_ADMIN): run the tests with sudo: %w", err)
		}
		if err != nil {
			return fmt.Errorf("netlab: cannot make a network namespace: %w", err)
		}
		handle = fresh
		return nil
	})
	if err != nil && handle.IsOpen() {
		err = errors.Join(err, handle.Close())
	}
	return handle, err
}

// keepNamespace runs fn, which may change the thread's network namespace, and then
// brings the thread back.
func keepNamespace(fn func() error) (err error) {
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("netlab: cannot open the network namespace of this thread: %w", err)
	}
	// Deferred, so that fn may also end by panic or by testing's FailNow.
	defer func() {
		restoreErr := netns.Set(home)
		err = errors.Join(err, home.Close())
		if restoreErr != nil {
			// The thread stays locked: the runtime ends it together with this goroutine,
			// so that no other goroutine ever runs in the wrong namespace.
			err = errors.Join(err, fmt.Errorf("netlab: this goroutine cannot leave the lab's namespace: %w", restoreErr))
			return
		}
		runtime.UnlockOSThread()
	}()
	return fn()
}

// addWire makes the TUN device inside and configures it.
func (n *Namespace) addWire(addresses ...netip.Prefix) error {
	err := n.Do(func() (err error) {
		n.wire, err = openWire()
		return err
	})
	if err != nil {
		return err
	}
	handle, err := netlink.NewHandleAt(n.handle, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("netlab: cannot open netlink in the new namespace: %w", err)
	}
	defer handle.Close()
	return configureWire(handle, addresses...)
}

// IPv4 returns the namespace's address on the wire.
func (n *Namespace) IPv4() netip.Addr { return n.ipv4 }

// IPv6 returns the namespace's address on the wire.
func (n *Namespace) IPv6() netip.Addr { return n.ipv6 }

// Do runs fn inside the namespace and returns fn's error. Sockets that fn opens
// belong to the namespace for as long as they live. It holds for the calling
// goroutine only: goroutines that fn starts run outside.
func (n *Namespace) Do(fn func() error) error {
	return keepNamespace(func() error {
		if err := n.enter(); err != nil {
			return err
		}
		return fn()
	})
}

// enter moves the calling thread into the namespace.
func (n *Namespace) enter() error {
	n.mutex.RLock()
	defer n.mutex.RUnlock()
	if !n.handle.IsOpen() {
		return errClosed
	}
	if err := netns.Set(n.handle); err != nil {
		return fmt.Errorf("netlab: cannot enter the network namespace: %w", err)
	}
	return nil
}

// Listen is [net.Listen] inside the namespace, for TCP. The address is an IP
// address and a port; an empty IP address means all of the namespace's.
func (n *Namespace) Listen(network, address string) (net.Listener, error) {
	if err := requireLiteral(address); err != nil {
		return nil, err
	}
	var listener net.Listener
	err := n.Do(func() (err error) {
		listener, err = net.Listen(network, address)
		return err
	})
	return listener, err
}

// DialContext is [net.Dialer.DialContext] inside the namespace, and fits
// [net/http.Transport]. The address is an IP address and a port.
func (n *Namespace) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if err := requireLiteral(address); err != nil {
		return nil, err
	}
	var connection net.Conn
	err := n.Do(func() (err error) {
		var dialer net.Dialer
		connection, err = dialer.DialContext(ctx, network, address)
		return err
	})
	return connection, err
}

// requireLiteral refuses host names: Go resolves them, and dials what it found, in
// goroutines that are outside the namespace.
func requireLiteral(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("netlab: %q is not an IP address and a port: %w", address, err)
	}
	if host == "" {
		return nil
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return fmt.Errorf("netlab: %q is no IP address: names are not resolved inside the lab: %w", host, err)
	}
	return nil
}

// Command returns a command that runs a program inside the namespace. As with
// [exec.CommandContext] it is killed when ctx is done; it is also killed when the
// lab closes. Only the network is changed: files, processes and cgroup are those of
// the caller.
//
// The command starts as nsenter, which replaces itself by the program, so that the
// process id is the program's own.
func (n *Namespace) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(n.ended, cancel)

	// Looked up here, because from nsenter a missing program is only an exit status.
	path, lookErr := exec.LookPath(name)
	if lookErr != nil {
		path = name
	}
	n.mutex.RLock()
	defer n.mutex.RUnlock()
	// By way of this process: a descriptor that the program inherits would keep the
	// namespace alive in all its children.
	target := fmt.Sprintf("--net=/proc/%d/fd/%d", os.Getpid(), int(n.handle))
	command := exec.CommandContext(ctx, "nsenter", append([]string{target, "--", path}, args...)...)
	if command.Err != nil {
		command.Err = fmt.Errorf("netlab: nsenter is needed: install util-linux: %w", command.Err)
	}
	switch {
	case !n.handle.IsOpen():
		command.Err = errClosed
	case lookErr != nil:
		command.Err = fmt.Errorf("netlab: cannot run %q in the lab: %w", name, lookErr)
	}
	return command
}

// close removes the device and lets go of the namespace, which the kernel removes
// when no socket or program is left in it.
func (n *Namespace) close() error {
	var problems []error
	if n.wire != nil {
		problems = append(problems, n.wire.Close())
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.handle.IsOpen() {
		problems = append(problems, n.handle.Close())
	}
	return errors.Join(problems...)
}
