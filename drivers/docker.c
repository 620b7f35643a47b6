/*
 * The docker driver's table of slots; docker.h has the reading order.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include "schema/kinds.h"

static int docker_open(const struct node *node, const struct driver_env *env, struct driver **out,
		       struct err *err)
{
	struct docker_endpoint endpoint;
	struct docker *docker;

	if (docker_endpoint_read(node, env, &endpoint, err) != 0) {
		docker_endpoint_release(&endpoint);
		return -1;
	}
	docker = mem_zalloc(1, sizeof *docker);
	docker->driver.ops = &driver_docker;
	docker->node = node;
	docker->env = env;
	docker->endpoint = endpoint;
	docker->session = httpc_session_new();
	*out = &docker->driver;
	return 0;
}

static void docker_close(struct driver *driver)
{
	struct docker *docker = docker_of(driver);

	docker_watch_end(docker);
	oci_free(docker->oci);
	free(docker->out_of_reach);
	httpc_session_free(docker->session);
	docker_endpoint_release(&docker->endpoint);
	free(docker);
}

static int probe(struct driver *driver, struct buf *engine, struct err *err)
{
	struct docker *docker = docker_of(driver);

	if (docker_meet(docker, err) != 0)
		return -1;
	buf_adds(engine, docker->engine);
	return 0;
}

static int observe(struct driver *driver, struct arena *arena, struct observed *out,
		   struct err *err)
{
	return docker_observe(docker_of(driver), arena, out, err);
}

static int resolve(struct driver *driver, const char *image, struct buf *digest, struct err *err)
{
	return docker_resolve(docker_of(driver), image, digest, err);
}

static int apply(struct driver *driver, const struct op *op, struct op_result *result,
		 struct err *err)
{
	return docker_apply(docker_of(driver), op, result, err);
}

static int watch(struct driver *driver, struct err *err)
{
	return docker_watch(docker_of(driver), err);
}

static int watch_read(struct driver *driver, struct err *err)
{
	return docker_watch_read(docker_of(driver), err);
}

static const struct checked_list *checked(struct driver *driver)
{
	return docker_checked(docker_of(driver));
}

static const struct map *heard(struct driver *driver)
{
	return docker_heard(docker_of(driver));
}

static int logs(struct driver *driver, const struct log_request *request, struct err *err)
{
	return docker_logs(docker_of(driver), request, err);
}

#define CONTAINER(field) (UINT64_C(1) << container_##field##_F)

/*
 * What is missing: annotations, which came with version 1.43 of the API and which Podman 4 drops
 * without a word; routing and expose, which a proxy beside the engine would have to do.
 */
static const struct driver_fields carried[] = {
	{&type_container,
	 CONTAINER(name) | CONTAINER(env) | CONTAINER(command) | CONTAINER(args) | CONTAINER(user) |
		 CONTAINER(working_directory) | CONTAINER(tty) | CONTAINER(ports) |
		 CONTAINER(port_ranges) | CONTAINER(volumes) | CONTAINER(files) | CONTAINER(scale) |
		 CONTAINER(resources) | CONTAINER(health_check) | CONTAINER(restart_policy) |
		 CONTAINER(network_mode) | CONTAINER(networks) | CONTAINER(logging) |
		 CONTAINER(labels) | CONTAINER(expect) | CONTAINER(capabilities) |
		 CONTAINER(privileged) | CONTAINER(devices) | CONTAINER(stop_signal) |
		 CONTAINER(stop_timeout) | CONTAINER(init)},
	{NULL, 0},
};

#define PORTS_INSTEAD "a port of the node: ports: [{container: 80, host: 8080}]"

static const struct driver_way ways[] = {
	{&type_container, container_routing_F, PORTS_INSTEAD},
	{&type_container, container_expose_F, PORTS_INSTEAD},
	{&type_container, container_annotations_F, "labels are carried out"},
	{NULL, 0, NULL},
};

const struct driver_ops driver_docker = {
	.name = "docker",
	.carries = carried,
	.ways = ways,
	.open = docker_open,
	.close = docker_close,
	.check = docker_check,
	.prefers_recreate = false,
	.aliases = true,
	.shares_ports = false,
	.live_fields = 0,
	.probe = probe,
	.observe = observe,
	.resolve = resolve,
	.apply = apply,
	.watch = watch,
	.watch_read = watch_read,
	.heard = heard,
	.checked = checked,
	.logs = logs,
};
