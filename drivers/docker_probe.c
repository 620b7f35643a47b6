/*
 * Checks by http and tcp. No engine makes them, so they are made from here: on the container's own
 * address, or on the loopback where it has the node's network. Whoever watches the node knows how
 * they went (docker_checks.c); where nobody does, a look asks each once, all side by side.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include "base/clock.h"
#include "schema/decode.h"

/* A look has a deadline: what is silent for longer is so to it. */
#define LOOK_TIMEOUT_MS 5000
/* Descriptors that may be open at once. */
#define LOOK_AT_ONCE 256

/* ---- whether, and where ---- */

const struct health_check *docker_probe_check(const json_t *labels, struct arena *arena)
{
	const char *text = json_str(labels, DOCKER_LABEL_CHECK, NULL);
	const struct container *config =
		text ? decode_object(arena, "container", text, strlen(text), NULL) : NULL;

	return config && probe_is_for(config->health_check) ? config->health_check : NULL;
}

static const char *text_or_null(const json_t *json, const char *key)
{
	const char *text = json_str(json, key, "");

	return *text ? text : NULL;
}

static const char *address_in(const json_t *network)
{
	const char *v4 = text_or_null(network, "IPAddress");

	return v4 ? v4 : text_or_null(network, "GlobalIPv6Address");
}

/* In its stage's network; else in whichever it has one. "": in none. */
static const char *address_of(const json_t *inspect, const struct workload *seen,
			      struct arena *arena)
{
	static const struct container bridged = {.network_mode = NETWORK_BRIDGE};
	const struct spec spec = {.config = &bridged, .labels = seen->labels};
	json_t *joined = json_object_get(json_object_get(inspect, "NetworkSettings"), "Networks");
	const char *name,
		*address = address_in(json_object_get(joined, docker_network_name(arena, &spec)));
	json_t *network;

	json_object_foreach(joined, name, network)
	{
		if (!address)
			address = address_in(network);
	}
	return arena_strdup(arena, address ? address : "");
}

static bool has_node_network(const json_t *inspect)
{
	return str_eq(json_str(json_object_get(inspect, "HostConfig"), "NetworkMode", ""), "host");
}

bool docker_probe_needed(const json_t *inspect, const struct workload *seen, struct arena *arena,
			 struct docker_probed *out)
{
	const char *run = json_str(json_object_get(inspect, "State"), "StartedAt", "");
	const struct health_check *check =
		seen->state == RUN_RUNNING ? docker_probe_check(docker_seen_labels(inspect), arena)
					   : NULL;

	if (!check)
		return false;
	*out = (struct docker_probed){
		.check = check,
		.id = seen->id,
		.run = arena_strdup(arena, run),
		.address = has_node_network(inspect) ? NULL : address_of(inspect, seen, arena),
		.running_ms = seen->running_ms,
	};
	return true;
}

/* ---- in a look ---- */

void docker_probes_release(struct docker_probes *probes)
{
	VEC_FREE(&probes->v);
}

static void tell(struct workload *workload, enum run_health health, const char *text,
		 struct arena *arena)
{
	workload->health = health;
	if (text && *text)
		workload->detail = arena_printf(arena, "health check: %s", text);
}

/* What whoever watches has found out of this very run. */
static const struct checked *find_checked(const struct docker *docker,
					  const struct docker_probed *probed)
{
	const struct checked_list *list = docker->env->checked;

	for (size_t i = 0; list && i < list->n; i++) {
		if (str_eq(list->v[i].id, probed->id) && str_eq(list->v[i].run, probed->run))
			return &list->v[i];
	}
	return NULL;
}

void docker_probes_note(struct docker_probes *probes, const struct docker *docker,
			const json_t *inspect, struct workload *seen, struct arena *arena)
{
	const struct checked *checked;
	struct docker_probed probed;

	if (!docker_probe_needed(inspect, seen, arena, &probed))
		return;
	checked = find_checked(docker, &probed);
	if (checked)
		tell(seen, checked->health, checked->text, arena);
	else
		VEC_PUSH(&probes->v, probed);
}

static void judge(const struct docker_probed *probed, const struct probe *probe,
		  struct workload *workload, struct arena *arena)
{
	struct buf why AUTO_BUF = BUF_INIT(BUF_MAX_LINE), clean AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	int64_t now = clock_boot_ms();
	struct health_count count;

	health_begin(&count, probed->check, probed->running_ms, now);
	health_note(&count, probed->check, probe_judge(probe, probed->check, &why), now);
	buf_add_clean_line(&clean, buf_str(&why), why.len);
	tell(workload, count.health, buf_str(&clean), arena);
}

static struct workload *find(struct workload *workloads, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(workloads[i].id, id))
			return &workloads[i];
	}
	return NULL;
}

static void run_some(const struct docker_probed *probed, size_t n, struct workload *workloads,
		     size_t workloads_n, struct arena *arena)
{
	AUTO_FREE struct probe *probes = mem_zalloc(n, sizeof *probes);
	AUTO_FREE struct probe_target *targets = mem_zalloc(n, sizeof *targets);

	for (size_t i = 0; i < n; i++) {
		targets[i] = probe_target_of(probed[i].check, probed[i].address);
		if (targets[i].timeout_ms > LOOK_TIMEOUT_MS)
			targets[i].timeout_ms = LOOK_TIMEOUT_MS;
		probe_begin(&probes[i], &targets[i]);
	}
	probe_all(probes, n);
	for (size_t i = 0; i < n; i++) {
		struct workload *workload = find(workloads, workloads_n, probed[i].id);

		if (workload)
			judge(&probed[i], &probes[i], workload, arena);
		probe_release(&probes[i]);
	}
}

void docker_probes_run(struct docker_probes *probes, struct workload *workloads, size_t n,
		       struct arena *arena)
{
	for (size_t done = 0, some; done < probes->v.n; done += some) {
		some = probes->v.n - done;
		some = some < LOOK_AT_ONCE ? some : LOOK_AT_ONCE;
		run_some(&probes->v.v[done], some, workloads, n, arena);
	}
	docker_probes_release(probes);
}
