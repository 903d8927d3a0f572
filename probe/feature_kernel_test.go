package probe

import (
	"errors"
	"testing"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// requireFeature skips a test whose error says that the kernel was built without
// a feature. The kernel's own types have the last word: if it knows typeName, it
// has the feature and must let it be used.
func requireFeature(t *testing.T, feature, typeName string, err error, absent ...error) {
	t.Helper()
	if err == nil {
		return
	}
	types, loadErr := btf.LoadKernelSpec()
	if loadErr != nil {
		t.Fatalf("the types of this kernel cannot be read: %v", loadErr)
	}
	_, typeErr := types.AnyTypeByName(typeName)
	for _, sentinel := range absent {
		if errors.Is(err, sentinel) && errors.Is(typeErr, btf.ErrNotFound) {
			t.Skipf("missing kernel feature: %s (%v)", feature, err)
		}
	}
	t.Fatalf("%s is built into this kernel but cannot be used: %v", feature, err)
}

func tryMPTCP() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// requireMPTCP must hold where net.mptcp.enabled is 1, its default.
func requireMPTCP(t *testing.T) {
	t.Helper()
	requireFeature(t, "CONFIG_MPTCP", "mptcp_subflow_context", tryMPTCP(), unix.EPROTONOSUPPORT)
}
