#include "base/sys.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/num.h"
#include "ledger/state.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MARKER "trueup state 1\n"
#define MARKER_MAX 4096
#define LOOK_AGAIN_MS 50

/* ---- whose folder it is ---- */

/* What may lie in a folder before we were ever there; ours to begin in. */
static bool is_harmless(const char *name)
{
	static const char *const names[] = {".", "..", "credentials", "lost+found"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	/* Left by fs_write_atomic of a start that was killed before the marker had its name. */
	return name[0] == '.' && str_ends(name, ".tmp");
}

static int check_unused(const char *dir, struct err *err)
{
	DIR *entries = opendir(dir);
	struct dirent *entry;
	int result = 0;

	if (!entries)
		return err_errno(err, E_IO, "read %s", dir);
	while (result == 0 && (entry = readdir(entries))) {
		if (!is_harmless(entry->d_name))
			result = err_set(
				err, E_STATE_FOREIGN,
				"%s is no state directory of trueup: it holds %s and has no "
				"file `%s`; name an empty or a new folder",
				dir, entry->d_name, STATE_MARKER_FILE);
	}
	closedir(entries);
	return result;
}

/* 1 marked as ours, 0 free to use, -1. */
static int read_marker(const char *dir, struct err *err)
{
	struct buf text AUTO_BUF = BUF_INIT(MARKER_MAX);
	struct err own = ERR_INIT;
	char path[FS_PATH_MAX];

	if (fs_join(path, dir, STATE_MARKER_FILE) != 0)
		return err_set(err, E_TOO_LARGE, "%s: the path is too long", dir);
	if (fs_read(path, MARKER_MAX, &text, &own) != 0)
		return own.code == E_NOT_FOUND ? check_unused(dir, err)
					       : err_set(err, own.code, "%s", own.text);
	if (str_eq(buf_str(&text), MARKER))
		return 1;
	return err_set(err, E_STATE_FOREIGN,
		       "%s does not say \"%.*s\": another trueup made it, or none", path,
		       (int)strlen(MARKER) - 1, MARKER);
}

int state_check_ours(const char *dir, struct err *err)
{
	if (!fs_exists(dir))
		return 0;
	return read_marker(dir, err) < 0 ? -1 : 0;
}

/* ---- making it ---- */

static int check_owner(int fd, const char *dir, struct stat *info, struct err *err)
{
	if (fstat(fd, info) != 0)
		return err_errno(err, E_IO, "stat %s", dir);
	if (info->st_uid == geteuid())
		return 0;
	return err_set(
		err, E_STATE_FOREIGN,
		"%s belongs to user %u and this process runs as user %u: run as that user, or "
		"give the folder to this one",
		dir, (unsigned)info->st_uid, (unsigned)geteuid());
}

static int close_to_others(int fd, const char *dir, const struct stat *info, struct err *err)
{
	if ((info->st_mode & 07777) == 0700 || fchmod(fd, 0700) == 0)
		return 0;
	return err_errno(err, E_IO, "%s has mode %04o and must have 0700", dir,
			 (unsigned)info->st_mode & 07777);
}

static int put_marker(const char *dir, struct err *err)
{
	char path[FS_PATH_MAX];

	if (fs_join(path, dir, STATE_MARKER_FILE) != 0)
		return err_set(err, E_TOO_LARGE, "%s: the path is too long", dir);
	return fs_write_atomic(path, MARKER, strlen(MARKER), 0600, err);
}

/*
 * Of many first starts at once, one writes the marker while the others wait for the folder's own
 * lock: nothing may be written to a folder before it is known to be ours.
 */
static int claim(int fd, const char *dir, struct err *err)
{
	struct stat info;
	int marked;

	if (check_owner(fd, dir, &info, err) != 0)
		return -1;
	marked = read_marker(dir, err);
	if (marked < 0 || close_to_others(fd, dir, &info, err) != 0)
		return -1;
	return marked ? 0 : put_marker(dir, err);
}

static int lock_folder(int fd, const char *dir, int64_t until, struct err *err)
{
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		/* A file system that cannot lock folders has no such races to offer either. */
		if (errno != EWOULDBLOCK && errno != EINTR)
			return 0;
		if (clock_boot_ms() >= until)
			return err_set(err, E_STATE_BUSY, "%s is locked by another process", dir);
		usleep(LOOK_AGAIN_MS * 1000);
	}
	return 0;
}

static int make_folder(const char *dir, int64_t until, struct err *err)
{
	int fd AUTO_FD = -1;

	if (!fs_is_dir(dir) && fs_make_dirs(dir, 0700, err) != 0)
		return err_wrap(err, "make the state directory");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, E_IO, "open %s", dir);
	return lock_folder(fd, dir, until, err) == 0 ? claim(fd, dir, err) : -1;
}

/* ---- the lock ---- */

/*
 * The name of the folder may be longer than a socket address holds: the way leads through a
 * descriptor of it.
 */
bool state_daemon_alive(const char *dir)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int folder AUTO_FD = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd AUTO_FD = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (folder < 0 || fd < 0)
		return false;
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder,
		 STATE_SOCKET_FILE);
	/* EAGAIN: its queue is full, so somebody is there. */
	return connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ||
	       errno == EAGAIN;
}

/* The lock file says who: "PID PURPOSE". */
static int say_busy(const char *dir, const char *path, struct err *err)
{
	char holder[256];
	const char *purpose;

	fs_lock_holder(path, holder, sizeof holder);
	purpose = strchr(holder, ' ');
	if (!purpose)
		return err_set(err, E_STATE_BUSY, "the state directory %s is in use", dir);
	return err_set(err, E_STATE_BUSY,
		       "the state directory %s is in use by process %.*s: trueup %s", dir,
		       (int)(purpose - holder), holder, purpose + 1);
}

/*
 * A child that was forked a moment before its parent died holds the lock and the socket until it
 * has closed what it inherited: the one who is to be waited for is gone then.
 */
static bool holder_is_gone(const char *path)
{
	char holder[256];
	int64_t pid;

	fs_lock_holder(path, holder, sizeof holder);
	holder[strcspn(holder, " ")] = '\0';
	return num_parse_int(holder, 1, INT_MAX, &pid) == 0 && kill((pid_t)pid, 0) != 0 &&
	       errno == ESRCH;
}

static int take_lock(const char *dir, const char *purpose, int64_t until, struct err *err)
{
	struct err own = ERR_INIT;
	char path[FS_PATH_MAX];

	if (fs_join(path, dir, STATE_LOCK_FILE) != 0)
		return err_set(err, E_TOO_LARGE, "%s: the path is too long", dir);
	for (;;) {
		int fd = fs_lock(path, purpose, 0, &own);

		if (fd >= 0)
			return fd;
		if (own.code != E_STATE_BUSY)
			return err_set(err, own.code, "%s", own.text);
		if ((state_daemon_alive(dir) && !holder_is_gone(path)) || clock_boot_ms() >= until)
			return say_busy(dir, path, err);
		usleep(LOOK_AGAIN_MS * 1000);
	}
}

/* ---- the instance ---- */

static bool is_instance(const char *text)
{
	return strspn(text, "0123456789abcdef") == STATE_INSTANCE_SIZE - 1 &&
	       strcmp(text + STATE_INSTANCE_SIZE - 1, "\n") == 0;
}

/* state->instance is the id to go on with, or "". */
static int make_instance(const char *path, struct state *state, struct err *err)
{
	unsigned char bytes[(STATE_INSTANCE_SIZE - 1) / 2];
	char line[STATE_INSTANCE_SIZE + 1];

	if (!state->instance[0]) {
		hash_random(bytes, sizeof bytes);
		hash_to_hex(bytes, sizeof bytes, state->instance);
	}
	snprintf(line, sizeof line, "%s\n", state->instance);
	return fs_write_atomic(path, line, strlen(line), 0600, err);
}

static int read_instance(struct state *state, struct err *err)
{
	struct buf text AUTO_BUF = BUF_INIT(STATE_INSTANCE_SIZE);
	struct err own = ERR_INIT;
	char path[FS_PATH_MAX];

	if (fs_join(path, state->dir, STATE_INSTANCE_FILE) != 0)
		return err_set(err, E_TOO_LARGE, "%s: the path is too long", state->dir);
	if (fs_read(path, STATE_INSTANCE_SIZE, &text, &own) != 0 && own.code != E_TOO_LARGE)
		return own.code == E_NOT_FOUND ? make_instance(path, state, err)
					       : err_set(err, own.code, "%s", own.text);
	if (!is_instance(buf_str(&text)))
		return err_set(
			err, E_BAD_INPUT,
			"%s is damaged: put the instance id back (each node's marker holds it), "
			"or remove the file to begin as a new instance and take each node over",
			path);
	snprintf(state->instance, sizeof state->instance, "%.*s", STATE_INSTANCE_SIZE - 1,
		 buf_str(&text));
	return 0;
}

/* ---- opening ---- */

static int set_dir(struct state *state, const char *dir, struct err *err)
{
	char *absolute AUTO_FREE = realpath(dir, NULL);

	if (!absolute)
		return err_errno(err, E_IO, "open %s", dir);
	if (strlen(absolute) >= sizeof state->dir)
		return err_set(err, E_TOO_LARGE, "%s: the path is too long", dir);
	memcpy(state->dir, absolute, strlen(absolute) + 1);
	return 0;
}

/* out->instance is the id to go on with where there is none, or "". */
static int open_state(const char *dir, const char *purpose, int64_t wait_ms, struct state *out,
		      struct err *err)
{
	int64_t until = clock_boot_ms() + wait_ms;

	out->lock = -1;
	if (make_folder(dir, until, err) != 0 || set_dir(out, dir, err) != 0)
		return -1;
	out->lock = take_lock(out->dir, purpose, until, err);
	if (out->lock < 0)
		return -1;
	if (read_instance(out, err) == 0 && fs_remove_stale_temps(out->dir, err) == 0)
		return 0;
	state_close(out);
	return -1;
}

int state_open_within(const char *dir, const char *purpose, int64_t wait_ms, struct state *out,
		      struct err *err)
{
	*out = (struct state){0};
	return open_state(dir, purpose, wait_ms, out, err);
}

int state_open_as(const char *dir, const char *purpose, const char *instance, struct state *out,
		  struct err *err)
{
	*out = (struct state){0};
	snprintf(out->instance, sizeof out->instance, "%s", instance);
	return open_state(dir, purpose, STATE_WAIT_MS, out, err);
}

int state_open(const char *dir, const char *purpose, struct state *out, struct err *err)
{
	return state_open_within(dir, purpose, STATE_WAIT_MS, out, err);
}

int state_check_there(const struct state *state, struct err *err)
{
	char path[FS_PATH_MAX];
	struct stat held, there;

	if (fs_join(path, state->dir, STATE_LOCK_FILE) == 0 && fstat(state->lock, &held) == 0 &&
	    stat(path, &there) == 0 && held.st_dev == there.st_dev && held.st_ino == there.st_ino)
		return 0;
	return err_set(err, E_STATE_LOST, "the state directory %s was removed or replaced",
		       state->dir);
}

void state_close(struct state *state)
{
	fs_close_ptr(&state->lock);
}
