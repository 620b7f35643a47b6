/*
 * bomb.c - what a file costs that was made to be expensive (tests/support/bombs.h).
 *
 *	bomb
 *
 * A line for each: milliseconds until it is refused, the memory that it took meanwhile in KiB, the
 * name. Each is decoded in a child of its own, so that none has the memory of the one before.
 */
#include "base/sys.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "schema/decode.h"
#include "tests/support/bombs.h"

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static long peak_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

static void measure(const struct bomb *bomb, bool whole)
{
	struct buf text = BUF_INIT(BOMB_TEXT_MAX);
	struct file *file;
	double start;
	long before;

	bomb_make(bomb, whole, &text);
	before = peak_kib();
	start = now_ms();
	file = bomb_decode(bomb, &text);
	printf("%.2f %ld %s%s%s\n", now_ms() - start, peak_kib() - before, bomb->name,
	       whole ? ", a million or 100 MB" : "", file->diags_n ? "" : ": NOT REFUSED");
	file_unref(file);
	buf_release(&text);
}

int main(void)
{
	for (size_t i = 0; i < 2 * bombs_n; i++) {
		pid_t child;

		fflush(stdout);
		child = fork();
		if (child == 0) {
			measure(&bombs[i / 2], i % 2);
			exit(EXIT_SUCCESS);
		}
		if (child < 0 || waitpid(child, NULL, 0) != child)
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
