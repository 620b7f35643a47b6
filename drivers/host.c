/*
 * The host driver's table of slots. The rest, in reading order:
 *
 *	host.h			what is kept where, and why a crash leaves nothing half
 *	host_layout.c		names, folders, the owner's marker, records of what is ours
 *	host_tree.c, _image.c	digests of folders, and copies that are proven by them
 *	host_control.c		spec.json, status.json, the lock: one workload's control folder
 *	host_place.c		a workload's own folder: volumes and files
 *	host_ops.c		the changes
 *	host_launch.c		starting and ending supervisors
 *	host_supervisor.c	the supervisor: phases x events
 *	host_run.c, _user.c	from a spec to execve
 *	host_health.c, _log.c	checks; output, rotated
 *	host_limits.c, _cgroup.c  memory and processors
 *	host_orphans.c, _guard.c  what a killed supervisor leaves behind; a record that is taken
 *away host_observe.c, _watch.c  what is there, and when to look host_check.c		what
 *manifests cannot have here
 */
#include "base/sys.h"
#include "drivers/host.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/host_image.h"
#include "drivers/host_live.h"
#include "drivers/host_follow.h"
#include "drivers/policy.h"

static struct host *host_of(struct driver *driver)
{
	return (struct host *)(void *)driver;
}

static void host_close(struct driver *driver)
{
	struct host *host = host_of(driver);

	host_watch_free(&host->watch);
	free(host->data_root);
	free(host);
}

static int host_open(const struct node *node, const struct driver_env *env, struct driver **out,
		     struct err *err)
{
	AUTO_FREE char *data_root = host_data_root(node, env);
	struct host *host;

	if (host_image_root_check(node, env->settings, err) != 0)
		return -1;
	if (!policy_path_is_plain(data_root) || strlen(data_root) > PATH_MAX / 2)
		return err_set(err, E_BAD_INPUT, "dataRoot %s is not a plain absolute path",
			       data_root);
	host = mem_zalloc(1, sizeof *host);
	host->driver.ops = &driver_host;
	host->node = node;
	host->env = env;
	host->data_root = data_root;
	data_root = NULL;
	*out = &host->driver;
	return 0;
}

/* Not there yet is fine: it is made when the node is claimed. */
static int host_probe(struct driver *driver, struct buf *engine, struct err *err)
{
	struct host *host = host_of(driver);

	if (fs_exists(host->data_root) && access(host->data_root, R_OK | W_OK | X_OK) != 0)
		return err_errno(err, E_NODE_UNREACHABLE, "data root %s", host->data_root);
	buf_adds(engine, "host");
	return 0;
}

static int host_see(struct driver *driver, struct arena *arena, struct observed *out,
		    struct err *err)
{
	return host_observe(host_of(driver), arena, out, err);
}

static int host_resolve(struct driver *driver, const char *image, struct buf *digest,
			struct err *err)
{
	return host_image_resolve(host_of(driver), image, digest, err);
}

static int host_change(struct driver *driver, const struct op *op, struct op_result *result,
		       struct err *err)
{
	return host_apply(host_of(driver), op, result, err);
}

static int host_start_watch(struct driver *driver, struct err *err)
{
	return host_watch(host_of(driver), err);
}

static int host_read_watch(struct driver *driver, struct err *err)
{
	return host_watch_read(host_of(driver), err);
}

static int host_logs(struct driver *driver, const struct log_request *request, struct err *err)
{
	const char *name = request->name;
	AUTO_FREE char *path = host_path(host_of(driver), HOST_WORKLOADS, name);
	int dir AUTO_FD = -1;

	if (host_name_is_workload(name))
		dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_set(err, E_NOT_FOUND, "%s is not on node %s", name,
			       host_of(driver)->node->name);
	if (host_follow(dir, request, err) != 0)
		return err_wrap(err, "node %s", host_of(driver)->node->name);
	return 0;
}

#define CONTAINER(field) (UINT64_C(1) << container_##field##_F)
#define RESOURCE(field) (UINT64_C(1) << resources_##field##_F)

/* Plain processes: no namespaces, no engine that could keep labels or run one image before another.
 */
static const struct driver_fields carried[] = {
	{&type_container,
	 CONTAINER(name) | CONTAINER(env) | CONTAINER(command) | CONTAINER(args) | CONTAINER(user) |
		 CONTAINER(working_directory) | CONTAINER(ports) | CONTAINER(volumes) |
		 CONTAINER(files) | CONTAINER(scale) | CONTAINER(resources) |
		 CONTAINER(health_check) | CONTAINER(restart_policy) | CONTAINER(expect) |
		 CONTAINER(stop_signal) | CONTAINER(stop_timeout)},
	{&type_resources, RESOURCE(cpu) | RESOURCE(memory)},
	{NULL, 0},
};

static const struct driver_way ways[] = {
	{&type_container, container_init_F,
	 "a script as the command may do it first; nodes with an engine have init"},
	{NULL, 0, NULL},
};

const struct driver_ops driver_host = {
	.name = "host",
	.carries = carried,
	.ways = ways,
	.open = host_open,
	.close = host_close,
	.check = host_check,
	.prefers_recreate = true,
	.shares_ports = true,
	.live_fields = HOST_LIVE_FIELDS,
	.probe = host_probe,
	.observe = host_see,
	.resolve = host_resolve,
	.apply = host_change,
	.watch = host_start_watch,
	.watch_read = host_read_watch,
	.logs = host_logs,
};
