/*
 * Bytes of the ledger and its journal are flipped, and both are cut, at random; TRUEUP_FLIPS says
 * how often (the torture test: 10,000). After each, in a child: the reader shows what was written,
 * or refuses; the writer opens what was written, sets it aside, or refuses; neither crashes.
 */
#include "tests/support/test.h"
#include "tests/support/ledger.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

#ifdef __SANITIZE_ADDRESS__
#define FLIPS_DEFAULT 40 /* the sanitizers make each child expensive */
#else
#define FLIPS_DEFAULT 150
#endif
#define STORY 12

enum outcome {
	READ_RIGHT = 1 << 0,
	READ_REFUSED = 1 << 1,
	OPENED_RIGHT = 1 << 2,
	SET_ASIDE = 1 << 3,
	OPEN_REFUSED = 1 << 4,
	WRONG = 1 << 5, /* what was read is not what was written */
};

static struct buf original = BUF_INIT(BUF_MAX_TEXT), half = BUF_INIT(BUF_MAX_TEXT),
		  journal = BUF_INIT(BUF_MAX_TEXT);
static char *dir;
static uint64_t state_of_chance = 88172645463325252u;

static size_t chance(size_t below)
{
	state_of_chance ^= state_of_chance << 13;
	state_of_chance ^= state_of_chance >> 7;
	state_of_chance ^= state_of_chance << 17;
	return (size_t)(state_of_chance % below);
}

/* ---- what is damaged: a whole ledger, and one in the middle of a commit with its journal ---- */

static void read_into(struct buf *buf, const char *name)
{
	char *path AUTO_FREE = test_path(dir, name);
	struct err err = ERR_INIT;

	buf_clear(buf);
	assert_done(fs_read(path, BUF_MAX_TEXT, buf, &err), err);
}

static void die_while_committing(void *arg)
{
	enum ledger_opened how;
	struct ledger *ledger;

	test_disk_install();
	if (ledger_open(dir, &ledger, &how, NULL, NULL) != 0)
		_exit(1);
	test_disk_fail(*(long *)arg, 1, DISK_KILLS);
	(void)test_story_write(ledger, STORY + 1, NULL);
}

static int setup(void **unused)
{
	enum ledger_opened how;
	struct ledger *ledger;
	struct err err = ERR_INIT;

	(void)unused;
	dir = test_folder();
	assert_done(ledger_open(dir, &ledger, &how, NULL, &err), err);
	for (int64_t i = 1; i <= STORY; i++)
		assert_done(test_story_write(ledger, i, &err), err);
	ledger_close(&ledger);
	read_into(&original, LEDGER_FILE);
	/* The first kill that has changed the file itself. */
	for (long at = 1; at < 100; at++) {
		test_in_child(die_while_committing, &at, NULL, 0);
		read_into(&half, LEDGER_FILE);
		read_into(&journal, LEDGER_FILE "-journal");
		if (half.len != original.len || memcmp(half.ptr, original.ptr, half.len) != 0)
			return 0;
	}
	return -1;
}

static int teardown(void **unused)
{
	(void)unused;
	buf_release(&original);
	buf_release(&half);
	buf_release(&journal);
	test_folder_remove(&dir);
	return 0;
}

static void write_file(const char *name, const char *bytes, size_t len)
{
	char *path AUTO_FREE = test_path(dir, name);
	int fd AUTO_FD = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || fs_write_all(fd, bytes, len) != 0)
		fail_msg("%s: %s", path, strerror(errno));
}

/* One to three bytes anywhere, or one bit, or the first hundred bytes more often than they would.
 */
static void flip(char *bytes, size_t len)
{
	size_t times = chance(4) ? 1 : 1 + chance(3);

	for (size_t i = 0; i < times; i++) {
		size_t at = chance(chance(5) ? len : len < 100 ? len : 100);

		bytes[at] = (char)(bytes[at] ^ (chance(2) ? 1 << chance(8) : 1 + (int)chance(255)));
	}
}

static void put_damaged(const char *name, const struct buf *from, bool damage)
{
	char *bytes AUTO_FREE = mem_alloc(from->len + 1);
	size_t len = from->len;

	memcpy(bytes, from->ptr, len);
	if (damage && chance(8) == 0)
		len = chance(len);
	else if (damage)
		flip(bytes, len);
	write_file(name, bytes, len);
}

static void clear_folder(void)
{
	struct err err = ERR_INIT;

	assert_done(fs_remove_tree(dir, &err), err);
	assert_done(fs_make_dirs(dir, 0700, &err), err);
}

/* ---- what comes of it ---- */

static bool is_right(const struct ledger_view *view, size_t transactions)
{
	char *last AUTO_FREE = mem_printf("%zu", transactions);

	for (size_t i = 0; i < view->records_n; i++) {
		const struct record *record = &view->records[i];

		if (record->id != (int64_t)i + 1 || !test_story_is(record))
			return false;
	}
	return view->records_n == transactions && view->history.records_n == transactions &&
	       str_eq(view->accepted, last);
}

static enum outcome read_it(size_t transactions)
{
	struct ledger_view *view = NULL;
	struct err err = ERR_INIT;
	enum outcome outcome;

	if (ledger_view_open(dir, VIEW_STATUS | VIEW_RECORDS | VIEW_CONTENT, &view, &err) != 0)
		return err.code == E_INTERNAL ? WRONG : READ_REFUSED;
	outcome = is_right(view, transactions) ? READ_RIGHT : WRONG;
	ledger_view_close(&view);
	return outcome;
}

static enum outcome open_it(void)
{
	enum ledger_opened how;
	struct ledger *ledger;
	struct err err = ERR_INIT;

	if (ledger_open(dir, &ledger, &how, NULL, &err) != 0)
		return err.code == E_INTERNAL ? WRONG : OPEN_REFUSED;
	if (how == LEDGER_REBUILT)
		return test_story_write(ledger, 1, &err) == 0 ? SET_ASIDE : WRONG;
	if (how != LEDGER_OPENED || test_story_write(ledger, STORY + 1, &err) != 0)
		return WRONG;
	ledger_close(&ledger);
	return read_it(STORY + 1) == READ_RIGHT ? OPENED_RIGHT : WRONG;
}

static void look(void *arg)
{
	int outcome;

	(void)arg;
	close(STDERR_FILENO);
	test_disk_install();
	outcome = (int)read_it(STORY);
	_exit(outcome | (int)open_it());
}

struct tally {
	long read_right, read_refused, opened_right, set_aside, open_refused;
};

static void count(struct tally *tally, int outcome)
{
	tally->read_right += (outcome & READ_RIGHT) != 0;
	tally->read_refused += (outcome & READ_REFUSED) != 0;
	tally->opened_right += (outcome & OPENED_RIGHT) != 0;
	tally->set_aside += (outcome & SET_ASIDE) != 0;
	tally->open_refused += (outcome & OPEN_REFUSED) != 0;
}

static long flips(void)
{
	const char *text = getenv("TRUEUP_FLIPS");

	return text ? strtol(text, NULL, 10) : FLIPS_DEFAULT;
}

static void run(const char *title, void (*put)(void))
{
	struct tally tally = {0};

	for (long i = 0; i < flips(); i++) {
		int status;

		clear_folder();
		put();
		status = test_in_child(look, NULL, NULL, 0);
		if (!WIFEXITED(status))
			fail_msg("%s %ld: killed by signal %d", title, i, WTERMSIG(status));
		if (WEXITSTATUS(status) & WRONG || WEXITSTATUS(status) == 0)
			fail_msg("%s %ld: what was read is not what was written", title, i);
		count(&tally, WEXITSTATUS(status));
	}
	print_message("# %s: reader right %ld, refused %ld; writer right %ld, set aside and "
		      "rebuilt %ld, refused %ld\n",
		      title, tally.read_right, tally.read_refused, tally.opened_right,
		      tally.set_aside, tally.open_refused);
}

static void put_ledger(void)
{
	put_damaged(LEDGER_FILE, &original, true);
}

static void put_ledger_and_journal(void)
{
	size_t which = chance(3);

	put_damaged(LEDGER_FILE, &half, which != 0);
	put_damaged(LEDGER_FILE "-journal", &journal, which != 1);
}

static void test_a_damaged_ledger(void **unused)
{
	(void)unused;
	run("ledger", put_ledger);
}

static void test_a_damaged_journal(void **unused)
{
	(void)unused;
	run("ledger with a journal", put_ledger_and_journal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_damaged_ledger),
		cmocka_unit_test(test_a_damaged_journal),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
