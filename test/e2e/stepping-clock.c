/*
 * A wall clock that can be stepped for one program and its children, by LD_PRELOAD: the seconds that the file named by
 * SLUICE_CLOCK_STEP begins with (a 64-bit number, mapped, so that a write to the file steps at once) are added to it. The
 * clock that never goes back is left alone, as it is by a step of the machine's.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *step;

__attribute__((constructor)) static void open_step(void)
{
	const char *path = getenv("SLUICE_CLOCK_STEP");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *page;

	if (fd < 0)
		return;
	page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (page != MAP_FAILED)
		step = page;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *);
	int result;

	if (!real)
		real = dlsym(RTLD_NEXT, "clock_gettime");
	result = real(clock, now);
	if (step && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += *step;
	return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	static int (*real)(struct timeval *, void *);
	int result;

	if (!real)
		real = dlsym(RTLD_NEXT, "gettimeofday");
	result = real(now, zone);
	if (step)
		now->tv_sec += *step;
	return result;
}

time_t time(time_t *into)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (into)
		*into = now.tv_sec;
	return now.tv_sec;
}
