// Package bpf holds Sonde's kernel side: C, and the Go bindings and objects that
// bpf2go makes from it. Both are committed, so that go build needs no clang.
package bpf

//go:generate go tool bpf2go -go-package bpf -cc clang-19 -strip llvm-strip-19 -target amd64,arm64 -type role -type protocol -type method -type failure -type loss -type event_type -type service_flag -type control -type process_event -type transport -type tls_function -type tls_library -type goroutine_key -type span_event -type trace_flag -type operation_event -type observation_event Sonde sonde.bpf.c -- -Wall -Wextra -Wno-unused-parameter -Werror -mcpu=v3 -idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include/aarch64-linux-gnu
//go:generate go tool bpf2go -go-package bpf -cc clang-19 -strip llvm-strip-19 -target amd64,arm64 -no-global-types Tls tls.bpf.c -- -Wall -Wextra -Wno-unused-parameter -Werror -mcpu=v3 -idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include/aarch64-linux-gnu
