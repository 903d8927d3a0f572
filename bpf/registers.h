/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a function's arguments and results are. C: the ABI of System V (amd64)
 * and AAPCS64 (arm64). Go: ABIInternal, since Go 1.17, which also keeps the
 * goroutine in a register.
 */
#ifndef SONDE_REGISTERS_H
#define SONDE_REGISTERS_H

#include "kernel.h"

/* Hidden, or the compiler reads one of two from a computed address, which is refused. */
#define REGISTER(r, name)                 \
	({                                \
		__u64 value_ = (r)->name; \
		barrier_var(value_);      \
		value_;                   \
	})

#if defined(__TARGET_ARCH_x86)

/* arch/x86/include/asm/ptrace.h; what a uprobe is given */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};

#define C_ARGUMENT_0(r) REGISTER(r, di)
#define C_ARGUMENT_1(r) REGISTER(r, si)
#define C_ARGUMENT_2(r) REGISTER(r, dx)
#define C_ARGUMENT_3(r) REGISTER(r, cx)
#define C_RESULT(r) REGISTER(r, ax)
#define GO_ARGUMENT_0(r) REGISTER(r, ax)
#define GO_ARGUMENT_1(r) REGISTER(r, bx)
#define GO_ARGUMENT_2(r) REGISTER(r, cx)
#define GO_RESULT(r) REGISTER(r, ax)
#define GO_GOROUTINE(r) REGISTER(r, r14)

#elif defined(__TARGET_ARCH_arm64)

/* arch/arm64/include/uapi/asm/ptrace.h; what a uprobe is given begins with it */
struct pt_regs {
	unsigned long regs[31], sp, pc, pstate;
};

#define C_ARGUMENT_0(r) REGISTER(r, regs[0])
#define C_ARGUMENT_1(r) REGISTER(r, regs[1])
#define C_ARGUMENT_2(r) REGISTER(r, regs[2])
#define C_ARGUMENT_3(r) REGISTER(r, regs[3])
#define C_RESULT(r) REGISTER(r, regs[0])
#define GO_ARGUMENT_0(r) REGISTER(r, regs[0])
#define GO_ARGUMENT_1(r) REGISTER(r, regs[1])
#define GO_ARGUMENT_2(r) REGISTER(r, regs[2])
#define GO_RESULT(r) REGISTER(r, regs[0])
#define GO_GOROUTINE(r) REGISTER(r, regs[28])

#else
#error "the registers of this processor are not known"
#endif

#endif
