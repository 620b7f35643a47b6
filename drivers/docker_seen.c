/*
 * From what an engine tells about a container to a workload.
 *
 * An engine cannot say which of its values somebody asked for, so the configuration comes from the
 * label that the container was made with. On top of it goes what can be changed on a container that
 * is there: limits, the restart policy, the networks it is in.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include <signal.h>

#include "base/clock.h"
#include "schema/decode.h"
#include "schema/kinds.h"

/* The bounds of kinds.def. */
#define MILLI_MAX 1024000
#define MEMORY_MIN (1 << 20)

/* ---- labels ---- */

static void read_labels(const json_t *json, struct arena *arena, struct labels *out)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)json, key, value)
	{
		if (str_starts(key, LABEL_NAMESPACE) && json_is_string(value))
			(void)labels_set(out, key + strlen(LABEL_NAMESPACE),
					 arena_strdup(arena, json_string_value(value)));
	}
}

const json_t *docker_seen_labels(const json_t *inspect)
{
	return json_object_get(json_object_get(inspect, "Config"), "Labels");
}

const struct container *docker_seen_config(const json_t *labels, struct arena *arena)
{
	const char *text = json_str(labels, DOCKER_LABEL_CONFIG, NULL);

	return text ? decode_object(arena, "container", text, strlen(text), NULL) : NULL;
}

/* ---- what may have changed since it was made ---- */

static struct docker_limits seen_limits(const json_t *host)
{
	return (struct docker_limits){
		.memory = json_int(host, "Memory", 0),
		.reservation = json_int(host, "MemoryReservation", 0),
		.nano_cpus = json_int(host, "NanoCpus", 0),
		.shares = json_int(host, "CpuShares", 0),
	};
}

/*
 * A limit that is wanted and shows as none was never taken: an engine whose kernel cannot keep it
 * leaves it out, and none can be taken away later.
 */
static bool differs(int64_t seen, int64_t made)
{
	return seen != made && !(seen == 0 && made != 0);
}

static bool same_limits(const struct docker_limits *seen, const struct docker_limits *made)
{
	return !differs(seen->memory, made->memory) &&
	       !differs(seen->reservation, made->reservation) &&
	       !differs(seen->nano_cpus, made->nano_cpus) && !differs(seen->shares, made->shares);
}

/*
 * An amount that no manifest could ask for is told as the nearest that one could: what is seen has
 * to pass for a configuration, or one odd container would hide all of its node.
 */
static int64_t within(int64_t amount, int64_t least, int64_t most)
{
	if (amount <= 0)
		return 0;
	return amount < least ? least : amount > most ? most : amount;
}

static const struct resources *resources_of(const struct docker_limits *limits, struct arena *arena)
{
	struct resources *out = ARENA_NEW(arena, struct resources);
	struct amounts *requests = ARENA_NEW(arena, struct amounts);

	out->cpu = within(limits->nano_cpus / DOCKER_NANO_CPUS_IN_MILLI, 1, MILLI_MAX);
	out->memory = within(limits->memory, MEMORY_MIN, INT64_MAX);
	requests->memory = within(limits->reservation, MEMORY_MIN, INT64_MAX);
	requests->cpu = within(limits->shares, 1, MILLI_MAX) * 1000 / DOCKER_SHARES_OF_ONE_CPU;
	if (out->cpu)
		SET_FIELD(out, resources, cpu);
	if (out->memory)
		SET_FIELD(out, resources, memory);
	if (requests->memory)
		SET_FIELD(requests, amounts, memory);
	if (requests->cpu)
		SET_FIELD(requests, amounts, cpu);
	if (requests->head.set) {
		out->requests = requests;
		SET_FIELD(out, resources, requests);
	}
	return out;
}

static void overlay_operations(const json_t *host, struct container *config, struct arena *arena)
{
	const struct docker_limits seen = seen_limits(host), made = docker_limits_of(config);
	const char *policy = json_str(json_object_get(host, "RestartPolicy"), "Name", NULL);
	const struct enum_value *value = policy ? enum_find(&words_restart_policy, policy) : NULL;

	if (!same_limits(&seen, &made)) {
		config->resources = resources_of(&seen, arena);
		SET_FIELD(config, container, resources);
	}
	if (value && value->value != (int)container_restart_policy(config)) {
		config->restart_policy = value->value;
		SET_FIELD(config, container, restart_policy);
	}
}

/*
 * Out of its stage's network, or its stack's, it is as if it had asked for none; so it is with
 * those it asked for.
 */
static void overlay_networks(const json_t *inspect, const struct labels *labels,
			     struct container *config, struct arena *arena)
{
	const struct spec spec = {.config = config, .labels = *labels};
	const char *network = docker_network_name(arena, &spec);
	const char *stack = docker_network_stack(arena, labels);
	const json_t *joined =
		json_object_get(json_object_get(inspect, "NetworkSettings"), "Networks");
	struct strings left = {.v = ARENA_ARRAY(arena, config->networks.n, const char *)};

	if (!network)
		return;
	for (size_t i = 0; i < config->networks.n; i++) {
		const char *name = docker_network_inner(arena, network, config->networks.v[i]);

		if (json_object_get(joined, name))
			left.v[left.n++] = config->networks.v[i];
	}
	if (left.n != config->networks.n)
		config->networks = left;
	if (!json_object_get(joined, network) || (stack && !json_object_get(joined, stack))) {
		config->network_mode = NETWORK_NONE;
		SET_FIELD(config, container, network_mode);
	}
}

/* ---- its state ---- */

/* As an engine ends what runs when it is stopped itself, or its machine is. */
static bool was_cut_off(const json_t *state, int exit_code)
{
	return (exit_code == 128 + SIGTERM || exit_code == 128 + SIGKILL) &&
	       !json_flag(state, "OOMKilled", false);
}

/*
 * An engine does not say whether a container was told to end. Under a policy that starts it again
 * it would not stay ended on its own, so somebody stopped it. An init container can be run again:
 * that it was ended by the signals of a stop is no failure of its own.
 */
static enum run_state ended_state(const json_t *inspect, const struct labels *labels, int exit_code)
{
	const char *policy =
		json_str(json_object_get(json_object_get(inspect, "HostConfig"), "RestartPolicy"),
			 "Name", "no");

	if (str_eq(policy, "always") || str_eq(policy, "unless-stopped"))
		return RUN_STOPPED;
	if (str_eq(policy, "on-failure") && exit_code != 0)
		return RUN_STOPPED;
	if (labels->init && was_cut_off(json_object_get(inspect, "State"), exit_code))
		return RUN_STOPPED;
	return RUN_EXITED;
}

bool docker_seen_is_new(const char *status)
{
	return str_eq(status, "created") || str_eq(status, "configured") ||
	       str_eq(status, "initialized");
}

static enum run_state state_of(const json_t *inspect, const struct labels *labels, int exit_code)
{
	const char *word = json_str(json_object_get(inspect, "State"), "Status", "");

	if (docker_seen_is_new(word))
		return RUN_CREATED;
	if (str_eq(word, "running"))
		return RUN_RUNNING;
	if (str_eq(word, "restarting"))
		return RUN_RESTARTING;
	if (str_eq(word, "paused"))
		return RUN_PAUSED;
	if (str_eq(word, "exited") || str_eq(word, "stopped"))
		return ended_state(inspect, labels, exit_code);
	return RUN_UNKNOWN;
}

static enum run_health health_of(const json_t *state, const struct workload *workload)
{
	const char *word = json_str(json_object_get(state, "Health"), "Status", "none");
	bool checked = workload->config && workload->config->health_check;

	if (!checked && (str_eq(word, "none") || str_eq(word, "")))
		return HEALTH_NONE;
	if (workload->state != RUN_RUNNING)
		return HEALTH_UNKNOWN;
	if (str_eq(word, "healthy"))
		return HEALTH_HEALTHY;
	if (str_eq(word, "unhealthy"))
		return HEALTH_UNHEALTHY;
	return HEALTH_STARTING;
}

/* The two clocks may differ by a little. */
static int64_t since(const char *began, int64_t now_ms)
{
	int64_t began_ms;

	if (!began || clock_parse(began, &began_ms) != 0 || began_ms > now_ms)
		return 0;
	return now_ms - began_ms;
}

static const char *detail_of(const json_t *state, const struct workload *workload,
			     struct arena *arena)
{
	const char *words = json_str(state, "Error", "");
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	if (workload->state == RUN_UNKNOWN)
		words = json_str(state, "Status", "");
	else if (json_flag(state, "OOMKilled", false) && workload->state != RUN_RUNNING)
		words = "killed: it needed more memory than it may have";
	if (!*words)
		return NULL;
	buf_add_clean(&text, words, strlen(words));
	return arena_strdup(arena, buf_str(&text));
}

static void read_state(const json_t *inspect, int64_t now_ms, struct arena *arena,
		       struct workload *out)
{
	const json_t *state = json_object_get(inspect, "State");
	int64_t code = json_int(state, "ExitCode", 0),
		restarts = json_int(inspect, "RestartCount", 0);
	bool ran = !str_starts(json_str(state, "FinishedAt", "0001-"), "0001-");

	out->exit_code = ran && code >= 0 && code <= 255 ? (int)code : -1;
	out->restarts = restarts > 0 && restarts < INT_MAX ? (int)restarts : 0;
	out->state = state_of(inspect, &out->labels, (int)code);
	/* of one that runs it is not the code of the run before */
	if (out->state == RUN_CREATED || out->state == RUN_RUNNING)
		out->exit_code = -1;
	if (out->state == RUN_RUNNING)
		out->running_ms = since(json_str(state, "StartedAt", NULL), now_ms);
	out->health = health_of(state, out);
	out->detail = detail_of(state, out, arena);
}

int docker_seen_workload(const json_t *inspect, int64_t now_ms, struct arena *arena,
			 struct workload *out, struct err *err)
{
	const json_t *labels = docker_seen_labels(inspect);
	const char *name = json_str(inspect, "Name", NULL), *id = json_str(inspect, "Id", NULL);
	const struct container *made = docker_seen_config(labels, arena);
	struct container *config;

	*out = (struct workload){0};
	if (!name || !id || !json_is_object(labels))
		return err_set(err, E_BAD_INPUT, "a container without name, id or labels");
	out->name = arena_strdup(arena, *name == '/' ? name + 1 : name);
	out->id = arena_strdup(arena, id);
	out->image = arena_strdup(arena, json_str(labels, DOCKER_LABEL_IMAGE, NULL));
	out->digest = arena_strdup(arena, json_str(labels, DOCKER_LABEL_DIGEST, NULL));
	read_labels(labels, arena, &out->labels);
	if (made) {
		config = arena_memdup(arena, made, sizeof *made);
		overlay_operations(json_object_get(inspect, "HostConfig"), config, arena);
		overlay_networks(inspect, &out->labels, config, arena);
		out->config = config;
	}
	read_state(inspect, now_ms, arena, out);
	return 0;
}
