/*
 * For tests: makes a processor's floating point state 8 KiB larger than it is, as AMX does, for what is loaded before
 * this library and for the program. As in ptrace_regset() and xstateregs_set() of the kernel, what is read is cut to the
 * reader's buffer, and what is written must be all of it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

#define MORE 8192

typedef long (*ptrace_function)(int request, ...);

static char state[64 * 1024];

static long exchange(ptrace_function next, int request, pid_t pid, void *set, struct iovec *theirs)
{
	struct iovec real = { .iov_base = state, .iov_len = sizeof(state) - MORE };

	if (next(PTRACE_GETREGSET, pid, set, &real) != 0)
		return -1;
	memset(state + real.iov_len, 0, MORE);
	if (theirs->iov_len > real.iov_len + MORE)
		theirs->iov_len = real.iov_len + MORE;
	if (request == PTRACE_GETREGSET) {
		memcpy(theirs->iov_base, state, theirs->iov_len);
		return 0;
	}
	if (theirs->iov_len < real.iov_len + MORE) {
		errno = EFAULT;
		return -1;
	}
	memcpy(state, theirs->iov_base, real.iov_len);
	return next(PTRACE_SETREGSET, pid, set, &real);
}

long ptrace(enum __ptrace_request request, ...)
{
	ptrace_function next = (ptrace_function)dlsym(RTLD_NEXT, "ptrace");
	va_list arguments;

	va_start(arguments, request);
	pid_t pid = va_arg(arguments, pid_t);
	void *address = va_arg(arguments, void *);
	void *data = va_arg(arguments, void *);
	va_end(arguments);

	if ((request == PTRACE_GETREGSET || request == PTRACE_SETREGSET) && address == (void *)NT_X86_XSTATE)
		return exchange(next, request, pid, address, data);
	return next(request, pid, address, data);
}
