/*
 * Completes the floating point state that User Mode Linux gives back to its processes. Loaded before it (LD_PRELOAD).
 *
 * User Mode Linux 6.1 keeps that state in a buffer of 2,696 bytes (HOST_FP_SIZE, arch/x86/um/user-offsets.c). It reads
 * the state by PTRACE_GETREGSET, which cuts off what the buffer does not hold, and writes it by PTRACE_SETREGSET, which
 * takes nothing but the whole: xstateregs_set(), arch/x86/kernel/fpu/regset.c, answers EFAULT when it is shorter than
 * what the processor can have. Where that is more (AMX: 11,008 bytes) the guest's first process never runs.
 *
 * The rest comes from the process itself, as nobody else has changed it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

typedef long (*ptrace_function)(int request, ...);

/* More than any processor has. One will do: User Mode Linux traces from one thread alone. */
static char whole[64 * 1024];

/* The C library's, or that of a library which is loaded after this one. */
static ptrace_function next_ptrace(void)
{
	static ptrace_function next;

	if (next == NULL)
		next = (ptrace_function)dlsym(RTLD_NEXT, "ptrace");
	return next;
}

static long set_completed(pid_t pid, void *set, struct iovec *part)
{
	struct iovec all = { .iov_base = whole, .iov_len = sizeof(whole) };

	if (next_ptrace()(PTRACE_GETREGSET, pid, set, &all) != 0)
		return -1;
	if (part->iov_len >= all.iov_len)
		return next_ptrace()(PTRACE_SETREGSET, pid, set, part);
	memcpy(whole, part->iov_base, part->iov_len);
	return next_ptrace()(PTRACE_SETREGSET, pid, set, &all);
}

/* The C library declares it so: three arguments follow, of which some requests need fewer. */
long ptrace(enum __ptrace_request request, ...)
{
	va_list arguments;

	va_start(arguments, request);
	pid_t pid = va_arg(arguments, pid_t);
	void *address = va_arg(arguments, void *);
	void *data = va_arg(arguments, void *);
	va_end(arguments);

	if (request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE)
		return set_completed(pid, address, data);
	return next_ptrace()(request, pid, address, data);
}
