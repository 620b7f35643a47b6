/*
 * What a manifest cannot have on a host node: said before anything is touched, at the field.
 */
#include "base/sys.h"
#include "drivers/host.h"

#include <unistd.h>

#include "base/fs.h"
#include "drivers/host_image.h"
#include "drivers/host_live.h"
#include "drivers/host_run.h"
#include "drivers/policy.h"

struct check {
	const struct node *node;
	const struct driver_env *env; /* NULL: the settings are not known */
	const struct spec *spec;
	const struct container *config;
	const struct unit *unit;
	struct diags *diags;
};

/* Reports at a field of an object: REPORT(check, code, volume, volume, path, "...", ...). */
#define REPORT(check, code, object, type, member, ...)                                             \
	diags_add((check)->diags, (code), (check)->unit, PATH_OF((object), type, member),          \
		  AT((object), type, member), __VA_ARGS__)

/* ---- the node and the image ---------------------------------------------------------------- */

static void check_node(struct check *check)
{
	struct err problem = ERR_INIT;

	if (check->env && host_image_root_check(check->node, check->env->settings, &problem) != 0)
		REPORT(check, problem.code == E_POLICY ? DIAG_POLICY : DIAG_BAD_VALUE, check->node,
		       node, image_root, "node %s: %s", check->node->name, problem.text);
}

/* The reference stands in the version; the nearest thing with a place here is the command. */
static void check_image(struct check *check)
{
	struct host_image image AUTO_IMAGE = {0};
	struct err problem = ERR_INIT;

	if (host_image_parse(check->spec->image, &image, &problem) != 0)
		REPORT(check, problem.code == E_NOT_SUPPORTED ? DIAG_NOT_SUPPORTED : DIAG_BAD_IMAGE,
		       check->config, container, command, "%s", problem.text);
}

/* ---- the command --------------------------------------------------------------------------- */

/* "./serve", "bin/serve" or "serve": a path inside the image. */
static bool is_program(const char *text)
{
	while (str_starts(text, "./"))
		text += 2;
	return fs_is_inner_path(text);
}

static void check_command(struct check *check)
{
	const struct container *config = check->config;
	const struct health_check *health = config->health_check;
	struct diag *diag;

	if (config->command.n == 0) {
		diag = REPORT(check, DIAG_MISSING_FIELD, config, container, command,
			      "%s needs a command: an image folder has none of its own",
			      check->spec->name);
		diag->hint = "command: [./program] runs that file of the image";
	} else if (!is_program(config->command.v[0])) {
		diag = REPORT(check, DIAG_POLICY, config, container, command,
			      "%s is no path inside the image: a host node runs nothing else",
			      config->command.v[0]);
		diag->hint = "put a script into the image that runs it";
	}
	if (health && health->command.n > 0 && !is_program(health->command.v[0]))
		REPORT(check, DIAG_POLICY, health, health_check, command,
		       "%s is no path inside the image: a host node runs nothing else",
		       health->command.v[0]);
}

static void check_env(struct check *check)
{
	const struct pairs *env = &check->config->env;

	for (size_t i = 0; i < env->n; i++) {
		struct loc at = env->at ? env->at[i] : AT(check->config, container, env);
		const char *file =
			env->paths ? env->paths[i] : PATH_OF(check->config, container, env);

		if (str_starts(env->key[i], HOST_ENV_PREFIX))
			diags_add(check->diags, DIAG_BAD_VALUE, check->unit, file, at,
				  "%s: variables called " HOST_ENV_PREFIX
				  "... are the driver's own",
				  env->key[i]);
		/* What the loader loads would be code from outside the image. */
		if (str_starts(env->key[i], "LD_"))
			diags_add(check->diags, DIAG_POLICY, check->unit, file, at,
				  "%s: a host node lets no manifest steer the loader", env->key[i]);
	}
}

static void check_user(struct check *check)
{
	const struct container *config = check->config;
	const struct host_policy *policy;
	struct err problem = ERR_INIT;
	struct host_user user;

	if (!check->env)
		return;
	policy = policy_host_driver(check->env->settings, check->node->name);
	if (host_user_find(config->user, &user, &problem) != 0)
		REPORT(check, DIAG_BAD_VALUE, config, container, user, "%s", problem.text);
	else if (host_user_allow(&user, config->user, policy, &problem) != 0)
		REPORT(check, DIAG_POLICY, config, container, user, "%s: %s", check->spec->name,
		       problem.text);
	else if (!user.own && !check->node->data_root)
		REPORT(check, DIAG_NOT_SUPPORTED, config, container, user,
		       "user %s needs a dataRoot for node %s: the default one is in the state "
		       "directory, which is private",
		       config->user, check->node->name);
}

static void check_directory(struct check *check)
{
	const char *wanted = check->config->working_directory;
	AUTO_FREE char *root = NULL, *folder = NULL;

	if (!wanted || *wanted != '/' || !check->env)
		return;
	root = host_data_root(check->node, check->env);
	folder = mem_printf("%s/%s", root, check->spec->name);
	if (!policy_path_within(wanted, &(struct strings){.v = (const char *[]){folder}, .n = 1}))
		REPORT(check, DIAG_BAD_VALUE, check->config, container, working_directory,
		       "workingDirectory is relative to the image, or inside %s", folder);
}

static void check_signal(struct check *check)
{
	const char *name = check->config->stop_signal;

	if (name && !host_signal_number(name))
		REPORT(check, DIAG_BAD_VALUE, check->config, container, stop_signal,
		       "no signal is called %s", name);
}

/* ---- ports --------------------------------------------------------------------------------- */

static void check_port(struct check *check, const struct port *port)
{
	struct diag *diag;

	if (port->host && port->host != port->container)
		REPORT(check, DIAG_NOT_SUPPORTED, port, port, host,
		       "a host node cannot map ports: host must be %lld, as container",
		       (long long)port->container);
	if (port->address)
		REPORT(check, DIAG_NOT_SUPPORTED, port, port, address,
		       "a host node cannot choose the address: the program does");
	if (!check->env || port->host ||
	    policy_port_allowed(check->env->settings, check->node->name, port->container))
		return;
	diag = REPORT(check, DIAG_POLICY, port, port, container,
		      "port %lld of node %s may not be used", (long long)port->container,
		      check->node->name);
	diag->hint = "the settings' policy.hostPorts lists the ports that may";
}

static void check_ports(struct check *check)
{
	const struct container *config = check->config;

	for (size_t i = 0; i < config->ports.n; i++)
		check_port(check, &config->ports.v[i]);
	if (config->ports.n > 0 && check->spec->instance == 2)
		REPORT(check, DIAG_SCALE_FIXED_PORT, config, container, ports,
		       "on a host node every instance would listen on port %lld",
		       (long long)config->ports.v[0].container);
}

/* ---- places -------------------------------------------------------------------------------- */

/* True when inner is path or inside it. */
static bool covers(const char *path, const char *inner)
{
	size_t len = strlen(path);

	return strncmp(path, inner, len) == 0 && (inner[len] == '/' || inner[len] == '\0');
}

static void check_volume(struct check *check, const struct volume *volume)
{
	if (!fs_is_inner_path(volume->path))
		REPORT(check, DIAG_BAD_VALUE, volume, volume, path,
		       "%s: on a host node the path of a volume is relative to TRUEUP_DIR",
		       volume->path);
	if (volume->read_only || volume->type == VOLUME_RO)
		diags_add(check->diags, DIAG_NOT_SUPPORTED, check->unit,
			  volume->read_only ? PATH_OF(volume, volume, read_only)
					    : PATH_OF(volume, volume, type),
			  volume->read_only ? AT(volume, volume, read_only)
					    : AT(volume, volume, type),
			  "a host node cannot make a volume read-only");
}

static void check_file(struct check *check, const struct config_file *file)
{
	const struct volume_list *volumes = &check->config->volumes;

	if (!fs_is_inner_path(file->path))
		REPORT(check, DIAG_BAD_VALUE, file, config_file, path,
		       "%s: on a host node the path of a file is relative to TRUEUP_DIR",
		       file->path);
	for (size_t i = 0; i < volumes->n; i++) {
		if (covers(volumes->v[i].path, file->path) ||
		    covers(file->path, volumes->v[i].path))
			REPORT(check, DIAG_NOT_SUPPORTED, file, config_file, path,
			       "file %s and volume %s would be in each other's place", file->path,
			       volumes->v[i].path);
	}
}

static void check_places(struct check *check)
{
	const struct container *config = check->config;
	const struct volume_list *volumes = &config->volumes;

	for (size_t i = 0; i < volumes->n; i++) {
		check_volume(check, &volumes->v[i]);
		for (size_t j = 0; j < i; j++) {
			if (covers(volumes->v[i].path, volumes->v[j].path) ||
			    covers(volumes->v[j].path, volumes->v[i].path))
				REPORT(check, DIAG_NOT_SUPPORTED, &volumes->v[i], volume, path,
				       "volumes %s and %s would be in each other's place",
				       volumes->v[j].path, volumes->v[i].path);
		}
	}
	for (size_t i = 0; i < config->files.n; i++)
		check_file(check, &config->files.v[i]);
}

/* ---- all of them --------------------------------------------------------------------------- */

void host_check(const struct node *node, const struct driver_env *env, const struct spec *spec,
		const struct unit *unit, struct diags *diags)
{
	struct check check = {.node = node,
			      .env = env,
			      .spec = spec,
			      .config = spec->config,
			      .unit = unit,
			      .diags = diags};

	check_node(&check);
	check_image(&check);
	check_command(&check);
	check_env(&check);
	check_user(&check);
	check_directory(&check);
	check_signal(&check);
	check_ports(&check);
	check_places(&check);
}
