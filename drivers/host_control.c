#include "base/sys.h"
#include "drivers/host_control.h"

#include <fcntl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/num.h"
#include "base/proc.h"

#define FORMAT 1
#define SPEC_MAX ((size_t)16 << 20)
#define STATUS_MAX ((size_t)64 << 10)
#define LOCK_MAX 64

/* ---- files --------------------------------------------------------------------------------- */

/* One writer at a time, so that one temporary name for each file is enough and none is left over.
 */
int host_write_at(int dir, const char *name, const void *bytes, size_t len, struct err *err)
{
	AUTO_FREE char *temp = mem_printf(".%s.new", name);
	int fd AUTO_FD =
		openat(dir, temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || fs_write_all(fd, bytes, len) != 0 || renameat(dir, temp, dir, name) != 0)
		return err_errno(err, E_IO, "write %s", name);
	return 0;
}

static int write_json(int dir, const char *name, const json_t *json, size_t max, struct err *err)
{
	struct buf text AUTO_BUF = BUF_INIT(max);

	json_write(json, &text);
	buf_addc(&text, '\n');
	if (text.overflow)
		return err_set(err, E_TOO_LARGE, "%s would be larger than %zu bytes", name, max);
	return host_write_at(dir, name, buf_str(&text), text.len, err);
}

/* New reference, or NULL. */
static json_t *read_json(int dir, const char *name, size_t max, struct err *err)
{
	struct buf text AUTO_BUF = BUF_INIT(max);
	json_t *json;

	if (fs_read_at(dir, name, max, &text, err) != 0)
		return NULL;
	json = json_read(buf_str(&text), text.len, max, err);
	if (json && json_int(json, "format", 0) != FORMAT) {
		json_decref(json);
		err_set(err, E_BAD_INPUT, "%s: not of format %d", name, FORMAT);
		return NULL;
	}
	if (!json)
		err_wrap(err, "%s", name);
	return json;
}

/* ---- spec.json ----------------------------------------------------------------------------- */

int host_spec_read(int dir, struct arena *arena, struct host_spec *out, struct err *err)
{
	AUTO_JSON json_t *json = read_json(dir, HOST_SPEC_FILE, SPEC_MAX, err);

	if (!json)
		return -1;
	snprintf(out->id, sizeof out->id, "%s", json_str(json, "id", ""));
	if (spec_from_json(json_object_get(json, "spec"), arena, &out->spec, err) != 0)
		return err_wrap(err, HOST_SPEC_FILE);
	return 0;
}

int host_spec_write(int dir, const char *id, const struct spec *spec, struct err *err)
{
	AUTO_JSON json_t *json = json_object();

	json_object_set_new(json, "format", json_integer(FORMAT));
	json_put_str(json, "id", id);
	json_object_set_new(json, "spec", spec_json(spec));
	return write_json(dir, HOST_SPEC_FILE, json, SPEC_MAX, err);
}

/* ---- status.json --------------------------------------------------------------------------- */

static enum run_state state_of(const char *word)
{
	for (int i = RUN_CREATED; i <= RUN_UNKNOWN; i++) {
		if (str_eq(word, run_state_word((enum run_state)i)))
			return (enum run_state)i;
	}
	return RUN_UNKNOWN;
}

static enum run_health health_of(const char *word)
{
	for (int i = HEALTH_NONE; i <= HEALTH_UNKNOWN; i++) {
		if (str_eq(word, run_health_word((enum run_health)i)))
			return (enum run_health)i;
	}
	return HEALTH_UNKNOWN;
}

int host_status_read(int dir, struct host_status *out, struct err *err)
{
	struct err problem = ERR_INIT;
	AUTO_JSON json_t *json = read_json(dir, HOST_STATUS_FILE, STATUS_MAX, &problem);

	*out = (struct host_status)HOST_STATUS_INIT;
	if (!json && problem.code == E_NOT_FOUND)
		return 0;
	if (!json)
		return err_set(err, problem.code, "%s", problem.text);
	out->state = state_of(json_str(json, "state", ""));
	out->health = health_of(json_str(json, "health", ""));
	out->stopping = json_flag(json, "stopping", false);
	out->pid = json_int(json, "pid", 0);
	out->start_time = (uint64_t)json_int(json, "startTime", 0);
	out->started_ms = json_int(json, "startedMs", 0);
	out->starts = (int)json_int(json, "starts", 0);
	out->exit_code = (int)json_int(json, "exitCode", -1);
	snprintf(out->run, sizeof out->run, "%s", json_str(json, "run", ""));
	snprintf(out->boot, sizeof out->boot, "%s", json_str(json, "boot", ""));
	snprintf(out->note, sizeof out->note, "%s", json_str(json, "note", ""));
	snprintf(out->check, sizeof out->check, "%s", json_str(json, "check", ""));
	snprintf(out->limits, sizeof out->limits, "%s", json_str(json, "limits", ""));
	return 0;
}

int host_status_write(int dir, const struct host_status *status, struct err *err)
{
	AUTO_JSON json_t *json = json_object();

	json_object_set_new(json, "format", json_integer(FORMAT));
	json_put_str(json, "state", run_state_word(status->state));
	json_put_str(json, "health", run_health_word(status->health));
	json_object_set_new(json, "stopping", json_boolean(status->stopping));
	json_object_set_new(json, "pid", json_integer(status->pid));
	json_object_set_new(json, "startTime", json_integer((json_int_t)status->start_time));
	json_object_set_new(json, "startedMs", json_integer(status->started_ms));
	json_object_set_new(json, "starts", json_integer(status->starts));
	json_object_set_new(json, "exitCode", json_integer(status->exit_code));
	json_put_str(json, "run", status->run);
	json_put_str(json, "boot", status->boot);
	json_put_str(json, "note", status->note);
	json_put_str(json, "check", status->check);
	json_put_str(json, "limits", status->limits);
	return write_json(dir, HOST_STATUS_FILE, json, STATUS_MAX, err);
}

bool host_status_settle(struct host_status *status, bool supervised, const char *boot)
{
	bool was_alive = status->state == RUN_RUNNING || status->state == RUN_RESTARTING;

	if (supervised || !was_alive)
		return false;
	/* A stop that was under way is as good as done: its end is what was asked for. */
	status->state = status->stopping ? RUN_STOPPED : RUN_EXITED;
	snprintf(status->note, sizeof status->note, "%s",
		 str_eq(status->boot, boot) ? "its supervisor was killed, and it with it"
					    : "the machine was restarted");
	if (status->pid)
		status->exit_code = 128 + 9;
	status->pid = 0;
	status->stopping = false;
	status->check[0] = '\0';
	if (status->health != HEALTH_NONE)
		status->health = HEALTH_UNKNOWN;
	return true;
}

/* ---- the lock ------------------------------------------------------------------------------ */

static const struct flock whole_file = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

/* Of the open file, as flock's are, but one can ask who has it without taking it. */
int host_lock_take(int dir, struct err *err)
{
	int fd AUTO_FD =
		openat(dir, HOST_LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct flock lock = whole_file;
	char line[LOCK_MAX];
	int len, taken;

	if (fd < 0)
		return err_errno(err, E_IO, "open " HOST_LOCK_FILE);
	if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
		if (errno == EAGAIN || errno == EACCES)
			return err_set(err, E_SUPERVISOR, "another supervisor of it is coming up");
		return err_errno(err, E_IO, HOST_LOCK_FILE);
	}
	len = snprintf(line, sizeof line, "%d %llu\n", (int)getpid(),
		       (unsigned long long)proc_start_time(getpid()));
	if (ftruncate(fd, 0) != 0 || fs_write_all(fd, line, (size_t)len) != 0)
		return err_errno(err, E_IO, "write " HOST_LOCK_FILE);
	taken = fd;
	fd = -1;
	return taken;
}

bool host_lock_is_held(int dir)
{
	int fd AUTO_FD = openat(dir, HOST_LOCK_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct flock lock = whole_file;

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* "<pid> <start time>\n" */
static int read_holder(int dir, pid_t *pid, int64_t *start_time)
{
	struct buf text AUTO_BUF = BUF_INIT(LOCK_MAX);
	int64_t number;
	char *space;

	if (fs_read_at(dir, HOST_LOCK_FILE, LOCK_MAX - 1, &text, NULL) != 0)
		return -1;
	space = text.len ? strchr(text.ptr, ' ') : NULL;
	if (!space)
		return -1;
	*space = '\0';
	space[1 + strcspn(space + 1, "\n")] = '\0';
	if (num_parse_int(text.ptr, 1, INT32_MAX, &number) != 0)
		return -1;
	*pid = (pid_t)number;
	return num_parse_int(space + 1, 1, INT64_MAX, start_time);
}

int host_supervisor_open(int dir, struct err *err)
{
	int fd AUTO_FD = -1;
	int64_t start_time;
	pid_t pid;
	int found;

	if (!host_lock_is_held(dir))
		return err_set(err, E_NOT_FOUND, "it has no supervisor");
	if (read_holder(dir, &pid, &start_time) != 0)
		return err_set(err, E_SUPERVISOR, "its supervisor has not said yet who it is");
	fd = pidfd_open(pid, 0);
	if (fd < 0 || proc_start_time(pid) != (uint64_t)start_time || !host_lock_is_held(dir))
		return err_set(err, E_NOT_FOUND, "its supervisor is gone");
	found = fd;
	fd = -1;
	return found;
}
