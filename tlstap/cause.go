package tlstap

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"sonde_exporter/tlslib"
)

// SymbolError is an error of an Attacher that concerns one function.
type SymbolError struct {
	// Symbol is the function's name in the file.
	Symbol string
	Err    error
}

// Error names the function and what is wrong.
func (e *SymbolError) Error() string { return fmt.Sprintf("%s: %v", e.Symbol, e.Err) }

// Unwrap is the error without the function.
func (e *SymbolError) Unwrap() error { return e.Err }

// symbolOf is the function that an error is about, as far as that is known.
func symbolOf(err error, image tlslib.Image) string {
	var about *SymbolError
	switch {
	case errors.As(err, &about):
		return about.Symbol
	case len(image.Sites) > 0:
		return image.Sites[0].Symbol
	}
	return ""
}

// Cause is a kind of failure of an attachment.
type Cause struct {
	Reason string // one word, fit for a label
	Remedy string // what to do
}

func permission() Cause {
	return Cause{"permission", "give Sonde CAP_SYS_ADMIN; for older kernels CAP_PERFMON and CAP_BPF are enough; see also what SELinux or AppArmor says of perf_event_open"}
}

func instruction() Cause {
	return Cause{"instruction", "none in Sonde's configuration: the kernel cannot put a uprobe there; please report the library's build"}
}

func unsupported() Cause {
	return Cause{"unsupported", "use a kernel that is built with CONFIG_UPROBE_EVENTS"}
}

func limit() Cause {
	return Cause{"limit", "raise the limit on open files and on memory of Sonde"}
}

func filesystem() Cause {
	return Cause{"filesystem", "keep the file on another file system: this one cannot have uprobes"}
}

func other() Cause { return Cause{"other", "none is known"} }

// Causes are all that there are.
func Causes() []Cause {
	return []Cause{permission(), instruction(), unsupported(), limit(), filesystem(), other()}
}

// errNotSupportedInKernel is ENOTSUPP, which the kernel should keep to itself and
// returns for instructions that cannot be probed.
const errNotSupportedInKernel = unix.Errno(524)

// causeOf sorts failures. Uprobes by perf_event_open want CAP_SYS_ADMIN again
// since Linux 6.16, and in the stable kernels of that time: a uprobe in the middle
// of an instruction can destroy a program.
func causeOf(err error) Cause {
	switch {
	case errors.Is(err, fs.ErrPermission): // EPERM and EACCES
		return permission()
	case errors.Is(err, errNotSupportedInKernel), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EILSEQ):
		return instruction()
	case errors.Is(err, ebpf.ErrNotSupported), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENODEV):
		return unsupported()
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE), errors.Is(err, unix.ENOMEM), errors.Is(err, unix.ENOSPC):
		return limit()
	case errors.Is(err, unix.EIO):
		return filesystem()
	}
	return other()
}
