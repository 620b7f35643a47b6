#include "tests/support/test.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "schema/decode.h"
#include "tests/support/bombs.h"

/*
 * Files that were made to be expensive are refused within BOMB_BYTES: each is decoded in a child
 * that gets no more. How long it takes is for tests/bench.
 */

#if defined(__SANITIZE_ADDRESS__)
#define HAS_BOUND false /* its shadow alone is larger than any bound */
#elif defined(__has_feature)
#define HAS_BOUND !__has_feature(address_sanitizer)
#else
#define HAS_BOUND true
#endif

#define REFUSED 42

/* What this process has of addresses, in bytes. */
static size_t addresses(void)
{
	size_t pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file || fscanf(file, "%zu", &pages) != 1)
		fail_msg("/proc/self/statm cannot be read");
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void decode_in_child(const struct bomb *bomb, const struct buf *text, size_t room)
{
	const struct rlimit limit = {room, room};
	struct file *file;

	if (HAS_BOUND && setrlimit(RLIMIT_AS, &limit) != 0)
		_exit(1);
	file = bomb_decode(bomb, text);
	_exit(file->diags_n ? REFUSED : 0);
}

static void test_bomb(void **state)
{
	const struct bomb *bomb = *state;

	for (int whole = 0; whole < 2; whole++) {
		AUTO_BUF struct buf text = BUF_INIT(BOMB_TEXT_MAX);
		size_t room;
		pid_t child;
		int status;

		bomb_make(bomb, whole, &text);
		room = addresses() + BOMB_BYTES;
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			decode_in_child(bomb, &text, room);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != REFUSED)
			fail_msg("%s%s: status %x", bomb->name, whole ? ", whole" : "",
				 (unsigned)status);
	}
}

int main(void)
{
	struct CMUnitTest *tests = mem_zalloc(bombs_n, sizeof *tests);
	int failed;

	for (size_t i = 0; i < bombs_n; i++)
		tests[i] = (struct CMUnitTest){.name = bombs[i].name,
					       .test_func = test_bomb,
					       .initial_state = (void *)(uintptr_t)&bombs[i]};
	failed = _cmocka_run_group_tests("schema bombs", tests, bombs_n, NULL, NULL);
	free(tests);
	return failed;
}
