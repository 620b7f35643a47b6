#include "base/sys.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/vec.h"
#include "ledger/aside.h"
#include "ledger/ledger.h"

#include <dirent.h>
#include <unistd.h>

#define PREFIX LEDGER_FILE ".corrupt-"

static const char *const journals[] = {"-journal", "-wal", "-shm"};

void aside_clear_journals(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(journals); i++) {
		char *name AUTO_FREE = mem_printf("%s%s", path, journals[i]);

		(void)unlink(name);
	}
}

/* "20260102T030405678Z": sorts by time and is a plain file name. */
static void compact_time(char out[CLOCK_TEXT_MAX])
{
	char text[CLOCK_TEXT_MAX];
	size_t n = 0;

	for (const char *c = clock_format(clock_wall_ms(), text); *c; c++) {
		if (*c != '-' && *c != ':' && *c != '.')
			out[n++] = *c;
	}
	out[n] = '\0';
}

static int move_journals(const char *from, const char *to, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(journals); i++) {
		char *old AUTO_FREE = mem_printf("%s%s", from, journals[i]);
		char *new AUTO_FREE = mem_printf("%s%s", to, journals[i]);

		if (rename(old, new) != 0 && errno != ENOENT)
			return err_errno(err, E_LEDGER, "rename %s", old);
	}
	return 0;
}

static bool is_journal(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(journals); i++) {
		if (str_ends(name, journals[i]))
			return true;
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A disk that damages the ledger again and again must not fill up with it. */
static void remove_oldest(const char *state_dir)
{
	DIR *dir = opendir(state_dir);
	VEC(char *) names = {0};

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (str_starts(entry->d_name, PREFIX) && !is_journal(entry->d_name))
			VEC_PUSH(&names, mem_printf("%s/%s", state_dir, entry->d_name));
	}
	if (dir)
		closedir(dir);
	VEC_SORT(&names, by_name);
	for (size_t i = 0; i < names.n; i++) {
		if (i + ASIDE_KEPT < names.n) {
			(void)unlink(names.v[i]);
			aside_clear_journals(names.v[i]);
		}
		free(names.v[i]);
	}
	VEC_FREE(&names);
}

int aside_set(const char *state_dir, struct buf *aside, struct err *err)
{
	char time[CLOCK_TEXT_MAX];
	char *from AUTO_FREE = mem_printf("%s/%s", state_dir, LEDGER_FILE);
	char *to AUTO_FREE = NULL;

	compact_time(time);
	to = mem_printf("%s/%s%s", state_dir, PREFIX, time);
	if (rename(from, to) != 0)
		return err_errno(err, E_LEDGER, "set the damaged ledger aside: rename %s", from);
	if (move_journals(from, to, err) != 0 || fs_sync_dir(state_dir, err) != 0)
		return -1;
	buf_adds(aside, to);
	remove_oldest(state_dir);
	return 0;
}
