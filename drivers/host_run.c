#include "base/sys.h"
#include "drivers/host_run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/proc.h"
#include "drivers/host.h"
#include "drivers/host_orphans.h"
#include "drivers/host_place.h"
#include "drivers/host_tree.h"
#include "drivers/policy.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void host_run_release(struct host_run *run)
{
	fs_close_ptr(&run->directory);
}

/* ---- what and where ------------------------------------------------------------------------ */

const char *host_run_image(struct arena *arena, const char *data_root, const struct spec *spec)
{
	const char *hex = spec->digest ? hash_digest_hex(spec->digest) : NULL;

	return arena_printf(arena, "%s/" HOST_IMAGES "/%s", data_root, hex ? hex : "");
}

const char *host_run_folder(struct arena *arena, const char *data_root, const struct spec *spec)
{
	return arena_printf(arena, "%s/%s", data_root, spec->name);
}

/* "./bin/serve" and "bin/serve" are the same. NULL when it does not name a file of the image. */
static const char *find_program(struct arena *arena, const char *image, const char *command)
{
	int dir AUTO_FD = open(image, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd AUTO_FD = -1;
	struct stat info;

	while (str_starts(command, "./"))
		command += 2;
	if (dir < 0 || !fs_is_inner_path(command))
		return NULL;
	fd = host_tree_open(dir, command, O_PATH);
	if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
		return NULL;
	return arena_printf(arena, "%s/%s", image, command);
}

/* Real path of an open folder, "" when it cannot be told. */
static void real_path(int fd, char out[PATH_MAX])
{
	char link[64];
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, out, PATH_MAX - 1);
	out[len > 0 ? len : 0] = '\0';
}

/* An absolute working directory must be the workload's folder or one of its volumes, or inside. */
static bool may_work_in(struct arena *arena, const char *data_root, const struct spec *spec, int fd)
{
	const struct container *config = spec->config;
	const char **allowed = ARENA_ARRAY(arena, config->volumes.n + 1, const char *);
	struct strings folders = {.v = allowed, .n = config->volumes.n + 1};
	char path[PATH_MAX], real[PATH_MAX];

	allowed[0] = host_run_folder(arena, data_root, spec);
	for (size_t i = 0; i < config->volumes.n; i++)
		allowed[i + 1] = host_place_target(arena, data_root, spec, &config->volumes.v[i]);
	for (size_t i = 0; i < folders.n; i++) {
		if (realpath(allowed[i], real))
			allowed[i] = arena_strdup(arena, real);
	}
	real_path(fd, path);
	return policy_path_within(path, &folders);
}

static int open_directory(struct arena *arena, const char *data_root, const struct spec *spec,
			  struct err *err)
{
	const char *image = host_run_image(arena, data_root, spec);
	const char *wanted = spec->config->working_directory;
	int top AUTO_FD = open(image, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd AUTO_FD = -1;
	int found;

	if (top < 0)
		return err_errno(err, E_SPAWN, "image %s", image);
	if (!wanted)
		fd = fcntl(top, F_DUPFD_CLOEXEC, 0);
	else if (*wanted == '/')
		fd = open(wanted, O_PATH | O_DIRECTORY | O_CLOEXEC);
	else
		fd = host_tree_open(top, wanted, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return err_errno(err, E_SPAWN, "working directory %s", wanted ? wanted : image);
	if (wanted && *wanted == '/' && !may_work_in(arena, data_root, spec, fd))
		return err_set(err, E_SPAWN, "working directory %s is outside TRUEUP_DIR", wanted);
	found = fd;
	fd = -1;
	return found;
}

/* ---- the environment ----------------------------------------------------------------------- */

struct environment {
	struct arena *arena;
	const char **v;
	size_t n;
};

static void add(struct environment *env, const char *key, const char *value)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < env->n; i++) {
		if (strncmp(env->v[i], key, len) == 0 && env->v[i][len] == '=') {
			env->v[i] = arena_printf(env->arena, "%s=%s", key, value);
			return;
		}
	}
	env->v[env->n++] = arena_printf(env->arena, "%s=%s", key, value);
}

#define OWN_VARIABLES 16

static const char **make_environment(struct arena *arena, const char *data_root,
				     const struct spec *spec, const char *run_id,
				     const struct host_user *user)
{
	const struct pairs *pairs = &spec->config->env;
	const char *folder = host_run_folder(arena, data_root, spec);
	struct environment env = {.arena = arena,
				  .v = ARENA_ARRAY(arena, pairs->n + OWN_VARIABLES, const char *)};
	char instance[NUM_TEXT_MAX];

	snprintf(instance, sizeof instance, "%d", spec->instance);
	add(&env, HOST_RUN_VARIABLE, run_id);
	add(&env, "TRUEUP_DIR", folder);
	add(&env, "TRUEUP_IMAGE", host_run_image(arena, data_root, spec));
	add(&env, "TRUEUP_NAME", spec->name);
	add(&env, "TRUEUP_INSTANCE", instance);
	add(&env, "PATH", DEFAULT_PATH);
	add(&env, "LANG", "C.UTF-8");
	add(&env, "HOME", folder);
	if (*user->name) {
		add(&env, "USER", user->name);
		add(&env, "LOGNAME", user->name);
	}
	for (size_t i = 0; i < pairs->n; i++) {
		if (pairs->value[i] && !str_starts(pairs->key[i], HOST_ENV_PREFIX))
			add(&env, pairs->key[i], pairs->value[i]);
	}
	return env.v;
}

static const char **make_arguments(struct arena *arena, const struct strings *command,
				   const struct strings *args)
{
	const char **argv = ARENA_ARRAY(arena, command->n + args->n + 1, const char *);

	memcpy(argv, command->v, command->n * sizeof *argv);
	if (args->n)
		memcpy(argv + command->n, args->v, args->n * sizeof *argv);
	return argv;
}

/* ---- preparing ----------------------------------------------------------------------------- */

static int take_program(struct arena *arena, const char *data_root, const struct spec *spec,
			const struct strings *command, struct host_run *out, struct err *err)
{
	const char *image = host_run_image(arena, data_root, spec);

	if (command->n == 0)
		return err_set(err, E_SPAWN, "it has no command");
	out->program = find_program(arena, image, command->v[0]);
	return out->program ? 0
			    : err_set(err, E_SPAWN, "the image has no program %s", command->v[0]);
}

int host_run_prepare(struct arena *arena, const char *data_root, const struct spec *spec,
		     const char *run_id, struct host_run *out, struct err *err)
{
	const struct container *config = spec->config;

	*out = (struct host_run){.directory = -1};
	if (host_user_find(config->user, &out->user, err) != 0 ||
	    take_program(arena, data_root, spec, &config->command, out, err) != 0)
		return -1;
	out->argv = make_arguments(arena, &config->command, &config->args);
	out->envp = make_environment(arena, data_root, spec, run_id, &out->user);
	out->directory = open_directory(arena, data_root, spec, err);
	return out->directory < 0 ? -1 : 0;
}

int host_run_command(struct arena *arena, const struct host_run *like, const char *data_root,
		     const struct spec *spec, const struct strings *command, struct host_run *out,
		     struct err *err)
{
	*out = *like;
	if (take_program(arena, data_root, spec, command, out, err) != 0)
		return -1;
	out->argv = make_arguments(arena, command, &(struct strings){0});
	return 0;
}

/* ---- the child ----------------------------------------------------------------------------- */

enum step { STEP_PARENT, STEP_BOUNDS, STEP_USER, STEP_FOLDER, STEP_RIGHTS, STEP_PROGRAM };
static const char *const step_words[] = {
	[STEP_PARENT] = "its supervisor died", [STEP_BOUNDS] = "enter its bounds",
	[STEP_USER] = "become its user",       [STEP_FOLDER] = "enter its working directory",
	[STEP_RIGHTS] = "give up rights",      [STEP_PROGRAM] = "run",
};

struct report {
	enum step step;
	int number;
};

int host_run_child(pid_t parent, int output, int keep)
{
	int null = open("/dev/null", O_RDWR);

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		return -1;
	if (dup2(null, STDIN_FILENO) < 0 || dup2(output < 0 ? null : output, STDOUT_FILENO) < 0 ||
	    dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
		return -1;
	proc_close_fds(&keep, 1);
	proc_default_signals();
	umask(022);
	return 0;
}

NORETURN
static void give_up(int pipe, enum step step)
{
	struct report report = {step, errno};

	(void)fs_write_all(pipe, &report, sizeof report);
	_exit(127);
}

/*
 * Descriptors close only after the bounds were entered and the folder was: both need them or files
 * that the new user may not reach. The death signal is set again, since a change of user clears it.
 */
NORETURN
static void be_workload(const struct host_run *run, pid_t parent, int output, int pipe)
{
	if (setsid() < 0)
		give_up(pipe, STEP_PARENT);
	if (run->limits && host_limits_enter(run->limits) != 0)
		give_up(pipe, STEP_BOUNDS);
	if (host_user_become(&run->user) != 0)
		give_up(pipe, STEP_USER);
	if (fchdir(run->directory) != 0)
		give_up(pipe, STEP_FOLDER);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		give_up(pipe, STEP_RIGHTS);
	if (host_run_child(parent, output, pipe) != 0)
		give_up(pipe, STEP_PARENT);
	execve(run->program, (char *const *)(uintptr_t)run->argv,
	       (char *const *)(uintptr_t)run->envp);
	give_up(pipe, STEP_PROGRAM);
}

/* Nothing in the pipe: it closed because the program runs. */
static int await_program(int pipe, const struct host_run *run, struct err *err)
{
	struct report report;
	ssize_t n;

	do
		n = read(pipe, &report, sizeof report);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return 0;
	if (n != sizeof report)
		return err_set(err, E_SPAWN, "run %s: it died before it began", run->argv[0]);
	errno = report.number;
	if (report.step == STEP_PROGRAM && errno == ENOENT)
		return err_set(err, E_SPAWN, "run %s: its interpreter is not on this machine",
			       run->argv[0]);
	if (report.step == STEP_PROGRAM && errno == EACCES && !run->user.own)
		return err_set(err, E_SPAWN,
			       "run %s: user %s may not, or cannot pass the folders above %s",
			       run->argv[0], run->user.name, run->program);
	return err_errno(err, E_SPAWN, "%s%s%s", step_words[report.step],
			 report.step == STEP_PROGRAM ? " " : "",
			 report.step == STEP_PROGRAM ? run->argv[0] : "");
}

pid_t host_run_spawn(const struct host_run *run, int output, struct err *err)
{
	pid_t parent = getpid(), pid;
	int ends[2];
	int done;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(err, E_SPAWN, "pipe");
	pid = fork();
	if (pid == 0)
		be_workload(run, parent, output, ends[1]);
	close(ends[1]);
	if (pid < 0)
		done = err_errno(err, E_SPAWN, "fork");
	else
		done = await_program(ends[0], run, err);
	close(ends[0]);
	if (pid > 0 && done != 0)
		(void)waitpid(pid, NULL, 0);
	return done == 0 ? pid : -1;
}
