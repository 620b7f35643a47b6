/*
 * From a spec to what an engine is asked to make (/containers/create of API 1.41): a field, a row.
 *
 * Where a manifest says nothing, nothing is said to the engine either, whose own default then
 * holds; but for the health check, whose defaults are ours in full, and the restart policy.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include "base/num.h"
#include "schema/canon.h"
#include "schema/forms.h"
#include "schema/kinds.h"

#define NS_IN_MS 1000000

struct making {
	const struct spec *spec;
	const struct container *config;
	const struct docker_make *make;
	struct arena *arena;
	json_t *top, *host; /* the whole body, and its HostConfig */
};

static void put_int(json_t *json, const char *key, int64_t value)
{
	json_object_set_new(json, key, json_integer(value));
}

static json_t *texts(const struct strings *strings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < strings->n; i++)
		json_array_append_new(list, json_string(strings->v[i]));
	return list;
}

/* The object called key, made when it is missing; borrowed. */
static json_t *inner(json_t *json, const char *key)
{
	json_t *found = json_object_get(json, key);

	if (!found) {
		found = json_object();
		json_object_set_new(json, key, found);
	}
	return found;
}

/* ---- what runs ---- */

static void put_command(struct making *making)
{
	const struct container *config = making->config;

	if (IS_SET(config, container, command))
		json_object_set_new(making->top, "Entrypoint", texts(&config->command));
	/* a command drops the image's arguments, too */
	if (IS_SET(config, container, args) || IS_SET(config, container, command))
		json_object_set_new(making->top, "Cmd", texts(&config->args));
}

static void put_env(struct making *making)
{
	const struct pairs *env = &making->config->env;
	json_t *list = json_array();

	for (size_t i = 0; i < env->n; i++) {
		AUTO_FREE char *line = mem_printf("%s=%s", env->key[i], env->value[i]);

		json_array_append_new(list, json_string(line));
	}
	json_object_set_new(making->top, "Env", list);
}

static void put_process(struct making *making)
{
	const struct container *config = making->config;

	if (config->user)
		json_put_str(making->top, "User", config->user);
	if (config->working_directory)
		json_put_str(making->top, "WorkingDir", config->working_directory);
	if (config->tty)
		json_object_set_new(making->top, "Tty", json_true());
	if (config->stop_signal)
		json_put_str(making->top, "StopSignal", config->stop_signal);
	/* whole seconds; rather a moment longer than it was promised */
	if (IS_SET(config, container, stop_timeout))
		put_int(making->top, "StopTimeout", (config->stop_timeout + 999) / 1000);
}

/*
 * Podman 4 takes the words of a check apart at each blank, so that one with a blank in it becomes
 * two; a shell gets them together again, just as they were.
 */
static json_t *shell_test(const struct strings *command)
{
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	json_t *test = json_array();

	for (size_t i = 0; i < command->n; i++) {
		if (i)
			buf_addc(&text, ' ');
		buf_add_shell(&text, command->v[i]);
	}
	json_array_append_new(test, json_string("CMD-SHELL"));
	json_array_append_new(test, json_string(buf_str(&text)));
	return test;
}

static bool has_blanks(const struct strings *strings)
{
	for (size_t i = 0; i < strings->n; i++) {
		if (strpbrk(strings->v[i], " \t\n") || !*strings->v[i])
			return true;
	}
	return false;
}

static json_t *health_test(const struct strings *command, bool is_podman)
{
	json_t *test;

	if (is_podman && has_blanks(command))
		return shell_test(command);
	test = json_array();
	json_array_append_new(test, json_string("CMD"));
	for (size_t i = 0; i < command->n; i++)
		json_array_append_new(test, json_string(command->v[i]));
	return test;
}

static void put_health(struct making *making)
{
	const struct health_check *check = making->config->health_check;
	json_t *json;

	if (!check)
		return;
	json = json_object();
	if (check->command.n == 0) {
		/* it is made from here (docker_probe.c), and the image's own is not asked for */
		json_object_set_new(json, "Test", json_pack("[s]", "NONE"));
		json_object_set_new(making->top, "Healthcheck", json);
		return;
	}
	json_object_set_new(json, "Test", health_test(&check->command, making->make->is_podman));
	put_int(json, "Interval", KIND_OR(check, health_check, interval) * NS_IN_MS);
	put_int(json, "Timeout", KIND_OR(check, health_check, timeout) * NS_IN_MS);
	put_int(json, "Retries", KIND_OR(check, health_check, retries));
	put_int(json, "StartPeriod", KIND_OR(check, health_check, start_period) * NS_IN_MS);
	json_object_set_new(making->top, "Healthcheck", json);
}

/* ---- labels ---- */

static void put_label(void *arg, const char *key, const char *value)
{
	AUTO_FREE char *name = mem_printf(LABEL_NAMESPACE "%s", key);

	json_put_str(arg, name, value);
}

static void put_check(const struct container *config, json_t *labels)
{
	struct container only = {.health_check = config->health_check};
	struct buf text AUTO_BUF = BUF_INIT(DOCKER_CONFIG_MAX);

	if (!probe_is_for(config->health_check))
		return;
	SET_FIELD(&only, container, health_check);
	canon_container(&only, CANON_ALL, &text);
	json_put_str(labels, DOCKER_LABEL_CHECK, buf_str(&text));
}

static void put_labels(struct making *making)
{
	const struct pairs *own = &making->config->labels;
	struct buf config AUTO_BUF = BUF_INIT(DOCKER_CONFIG_MAX);
	json_t *labels = json_object();

	for (size_t i = 0; i < own->n; i++)
		json_put_str(labels, own->key[i], own->value[i]);
	labels_each(&making->spec->labels, put_label, labels);
	json_put_str(labels, DOCKER_LABEL_IMAGE, making->spec->image);
	if (making->spec->digest)
		json_put_str(labels, DOCKER_LABEL_DIGEST, making->spec->digest);
	put_check(making->config, labels);
	canon_container(making->config, CANON_ALL, &config);
	if (!config.overflow)
		json_put_str(labels, DOCKER_LABEL_CONFIG, buf_str(&config));
	json_object_set_new(making->top, "Labels", labels);
}

/* ---- ports ---- */

static void put_port(struct making *making, int64_t container, int64_t host, const char *protocol,
		     const char *address)
{
	AUTO_FREE char *key = mem_printf("%lld/%s", (long long)container, protocol);
	char number[NUM_TEXT_MAX];
	json_t *ports, *binding;

	json_object_set_new(inner(making->top, "ExposedPorts"), key, json_object());
	if (!host)
		return;
	ports = inner(making->host, "PortBindings");
	snprintf(number, sizeof number, "%lld", (long long)host);
	binding = json_object();
	json_put_str(binding, "HostPort", number);
	if (address)
		json_put_str(binding, "HostIp", address);
	if (!json_object_get(ports, key))
		json_object_set_new(ports, key, json_array());
	json_array_append_new(json_object_get(ports, key), binding);
}

static void put_ports(struct making *making)
{
	const struct port_list *ports = &making->config->ports;

	for (size_t i = 0; i < ports->n; i++) {
		const struct port *port = &ports->v[i];

		put_port(making, port->container, port->host,
			 ENUM_WORD(protocol, (int)KIND_OR(port, port, protocol)), port->address);
	}
}

static void put_port_ranges(struct making *making)
{
	const struct port_range_list *ranges = &making->config->port_ranges;

	for (size_t i = 0; i < ranges->n; i++) {
		int64_t first, last, host = 0, host_last;

		if (form_ports(ranges->v[i].container, &first, &last) != 0)
			continue;
		if (ranges->v[i].host && form_ports(ranges->v[i].host, &host, &host_last) != 0)
			continue;
		for (int64_t port = first; port <= last; port++)
			put_port(making, port, host ? host + (port - first) : 0, "tcp", NULL);
	}
}

/* ---- volumes ---- */

const char *docker_inner_path(struct arena *arena, const struct container *config, const char *path)
{
	const char *base = config->working_directory ? config->working_directory : "/";

	if (*path == '/')
		return path;
	return arena_printf(arena, "%s%s%s%s", *base == '/' ? "" : "/", base,
			    str_ends(base, "/") ? "" : "/", path);
}

const char *docker_declared_volume(struct arena *arena, const struct spec *spec, const char *path)
{
	char *name =
		arena_printf(arena, "%s-%s%s", spec->labels.prefix, spec->labels.container, path);

	for (char *at = name; *at; at++) {
		if (*at == '/')
			*at = '-';
	}
	return name;
}

static json_t *mount(const char *type, const char *source, const char *target, bool read_only)
{
	json_t *json = json_object();

	json_put_str(json, "Type", type);
	if (source)
		json_put_str(json, "Source", source);
	json_put_str(json, "Target", target);
	if (read_only)
		json_object_set_new(json, "ReadOnly", json_true());
	return json;
}

static json_t *mount_of(struct making *making, const struct volume *volume)
{
	const char *target = docker_inner_path(making->arena, making->config, volume->path);
	bool read_only = volume->read_only || volume->type == VOLUME_RO;

	if (volume->type == VOLUME_TMP)
		return mount("tmpfs", NULL, target, false);
	if (volume->host_path)
		return mount("bind", volume->host_path, target, read_only);
	return mount("volume", volume_node_name(making->arena, making->spec->labels.prefix, volume),
		     target, read_only);
}

static bool is_covered(struct making *making, const char *path)
{
	const struct volume_list *volumes = &making->config->volumes;

	for (size_t i = 0; i < volumes->n; i++) {
		if (str_eq(docker_inner_path(making->arena, making->config, volumes->v[i].path),
			   path))
			return true;
	}
	return false;
}

static void put_volumes(struct making *making)
{
	const struct volume_list *volumes = &making->config->volumes;
	const struct strings *declared = making->make->declared;
	json_t *mounts = json_array();

	for (size_t i = 0; i < volumes->n; i++)
		json_array_append_new(mounts, mount_of(making, &volumes->v[i]));
	for (size_t i = 0; declared && i < declared->n; i++) {
		if (!is_covered(making, declared->v[i]))
			json_array_append_new(
				mounts, mount("volume",
					      docker_declared_volume(making->arena, making->spec,
								     declared->v[i]),
					      declared->v[i], false));
	}
	json_object_set_new(making->host, "Mounts", mounts);
}

/* ---- limits and rights ---- */

struct docker_limits docker_limits_of(const struct container *config)
{
	const struct resources *resources = config->resources;
	const struct amounts *limits = resources ? resources->limits : NULL;
	const struct amounts *requests = resources ? resources->requests : NULL;
	struct docker_limits out = {0};
	int64_t cpu;

	if (!resources)
		return out;
	cpu = resources->cpu ? resources->cpu : limits ? limits->cpu : 0;
	out.memory = resources->memory ? resources->memory : limits ? limits->memory : 0;
	out.nano_cpus = cpu * DOCKER_NANO_CPUS_IN_MILLI;
	if (requests) {
		out.reservation = requests->memory;
		out.shares = requests->cpu * DOCKER_SHARES_OF_ONE_CPU / 1000;
		if (requests->cpu && out.shares < 2)
			out.shares = 2; /* the least that a kernel takes */
	}
	return out;
}

static void put_limits(json_t *json, const struct docker_limits *limits)
{
	if (limits->memory) {
		put_int(json, "Memory", limits->memory);
		put_int(json, "MemorySwap", limits->memory); /* swap is no more memory */
	}
	if (limits->reservation)
		put_int(json, "MemoryReservation", limits->reservation);
	if (limits->nano_cpus)
		put_int(json, "NanoCpus", limits->nano_cpus);
	if (limits->shares)
		put_int(json, "CpuShares", limits->shares);
}

const char *docker_restart_word(const struct container *config)
{
	return ENUM_WORD(restart_policy, (int)container_restart_policy(config));
}

static void put_capabilities(struct making *making)
{
	const struct strings *wanted = &making->config->capabilities;
	json_t *add = json_array(), *drop = json_array();

	for (size_t i = 0; i < wanted->n; i++) {
		if (*wanted->v[i] == '-')
			json_array_append_new(drop, json_string(wanted->v[i] + 1));
		else
			json_array_append_new(add, json_string(wanted->v[i]));
	}
	json_object_set_new(making->host, "CapAdd", add);
	json_object_set_new(making->host, "CapDrop", drop);
}

/* "/dev/sda:/dev/disk:r": on the node, in the container, what may be done. */
static json_t *device_of(struct arena *arena, const char *text)
{
	size_t len = strcspn(text, ":");
	const char *path = arena_strndup(arena, text, len), *inside = path, *rights = "rwm";
	json_t *json = json_object();

	text += len;
	if (text[0] == ':' && text[1] == '/') {
		len = strcspn(++text, ":");
		inside = arena_strndup(arena, text, len);
		text += len;
	}
	if (*text == ':')
		rights = text + 1;
	json_put_str(json, "PathOnHost", path);
	json_put_str(json, "PathInContainer", inside);
	json_put_str(json, "CgroupPermissions", rights);
	return json;
}

static void put_rights(struct making *making)
{
	const struct container *config = making->config;
	json_t *devices = json_array();

	put_capabilities(making);
	for (size_t i = 0; i < config->devices.n; i++)
		json_array_append_new(devices, device_of(making->arena, config->devices.v[i]));
	json_object_set_new(making->host, "Devices", devices);
	if (config->privileged)
		json_object_set_new(making->host, "Privileged", json_true());
}

static void put_operations(struct making *making)
{
	const struct docker_limits limits = docker_limits_of(making->config);

	put_limits(making->host, &limits);
	json_put_str(inner(making->host, "RestartPolicy"), "Name",
		     docker_restart_word(making->config));
}

static void put_logging(struct making *making)
{
	const struct logging *logging = making->config->logging;
	json_t *json, *options;

	if (!logging)
		return;
	json = inner(making->host, "LogConfig");
	options = inner(json, "Config");
	json_put_str(json, "Type", logging->driver ? logging->driver : "");
	for (size_t i = 0; i < logging->options.n; i++)
		json_put_str(options, logging->options.key[i], logging->options.value[i]);
}

/* ---- networks ---- */

static void put_networks(struct making *making)
{
	const char *network = making->make->network;
	json_t *endpoint, *aliases;

	if (!network) {
		json_put_str(making->host, "NetworkMode",
			     ENUM_WORD(network_mode, making->config->network_mode));
		return;
	}
	json_put_str(making->host, "NetworkMode", network);
	endpoint = inner(inner(inner(making->top, "NetworkingConfig"), "EndpointsConfig"), network);
	aliases = json_array();
	json_array_append_new(aliases, json_string(making->make->alias));
	json_object_set_new(endpoint, "Aliases", aliases);
}

json_t *docker_spec_json(const struct spec *spec, const struct docker_make *make)
{
	static void (*const rows[])(struct making * making) = {
		put_command, put_env,	     put_process,     put_health,
		put_labels,  put_ports,	     put_port_ranges, put_volumes,
		put_rights,  put_operations, put_logging,     put_networks,
	};
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct making making = {.spec = spec,
				.config = spec->config,
				.make = make,
				.arena = arena,
				.top = json_object()};

	making.host = inner(making.top, "HostConfig");
	json_put_str(making.top, "Image", make->image);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		rows[i](&making);
	return making.top;
}
