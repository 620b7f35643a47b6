/*
 * docker.h - containers on Docker Engine (20.10 and later) and Podman (4 and later), by the engine
 * API that both speak.
 *
 * In reading order:
 *
 *	docker.c		the table of slots; opening; what the engine is
 *	docker_endpoint.c	from a Node to a way there: socket, certificates, loopback
 *	docker_api.c		one request, one answer; what an engine's refusal means
 *	docker_spec.c		pure: from a spec to what the engine is asked to make
 *	docker_seen.c		pure: from what the engine tells to a workload
 *	docker_observe.c	one look at a node
 *	docker_memo.c		what a look remembers for the next one
 *	docker_probe.c		checks by http and tcp, which engines do not have
 *	docker_ends.c		how one that ends again and again did so last
 *	docker_ops.c		the changes of containers, docker_volume.c those of volumes
 *	docker_image.c		images of ours, and what marks them
 *	docker_pull.c		what a reference means; fetching
 *	docker_progress.c	pure: how far a pull is
 *	docker_network.c	a network for each stage, and names in it
 *	docker_ports.c		host ports that are taken
 *	docker_files.c		files, put into a container before it starts
 *	docker_watch.c		the engine's events as a descriptor
 *	docker_checks.c		the checks of docker_probe.c, for as long as a node is watched
 *	docker_logs.c		what containers wrote; docker_frames.h takes it apart
 *
 * What a node keeps for us, since a driver keeps nothing:
 *
 *	the labels of a container	whose it is, and below DOCKER_LABEL_* what its spec was: an
 *					engine cannot say which of its values somebody asked for
 *	volume DOCKER_MARKER		whose node it is
 *	network <project>-<stage>	made with the first container of a stage, removed with the
 *last tag DOCKER_IMAGES/<instance>:<hex>	marks an image that was brought here for us; it goes
 *by removing the tag, and the image with it when it has no other
 *
 * A look is one list of the containers, one of the volumes, one of the images, and one inspection
 * for each container of ours, all on one connection. The list alone does not tell limits, restarts,
 * aliases, or how long a run has lasted. While the engine's events are read, a look asks for the
 * list of the containers, and else only for what its rows or an event say is no longer as the look
 * before found it.
 */
#ifndef TRUEUP_DRIVERS_DOCKER_H
#define TRUEUP_DRIVERS_DOCKER_H

#include "base/httpc.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/loop.h"
#include "base/vec.h"
#include "drivers/driver.h"
#include "drivers/health.h"
#include "drivers/oci.h"
#include "drivers/probe.h"
#include "schema/image.h"

#define DOCKER_MARKER "trueup-owner"
#define DOCKER_IMAGES "trueup.invalid" /* a host that no image can ever come from (RFC 2606) */

/* Besides those of workload.h. */
#define DOCKER_LABEL_IMAGE LABEL_NAMESPACE "image" /* as the manifest has it */
#define DOCKER_LABEL_DIGEST LABEL_NAMESPACE "digest"
#define DOCKER_LABEL_CONFIG LABEL_NAMESPACE "config" /* canonical JSON; absent when it is long */
/* A check by http or tcp, as the healthCheck of an otherwise empty configuration. */
#define DOCKER_LABEL_CHECK LABEL_NAMESPACE "check"
#define DOCKER_LABEL_ENGINE LABEL_NAMESPACE "engine" /* of the marker: a number drawn for it */

/* Longest configuration kept as a label; of a longer one only its hash is compared. */
#define DOCKER_CONFIG_MAX ((size_t)64 << 10)

/* The API that is spoken: of Docker 20.10 and Podman 4; newer engines speak it too. */
#define DOCKER_API_MAJOR 1
#define DOCKER_API_MINOR 41

/* Where an engine is. */
struct docker_endpoint {
	char *base;			      /* "http://engine", "https://host:2376" */
	char *unix_path;		      /* NULL: by TCP */
	char *ca_file, *cert_file, *key_file; /* NULL: none */
};
/* E_BAD_INPUT, E_CREDENTIALS. */
int docker_endpoint_read(const struct node *node, const struct driver_env *env,
			 struct docker_endpoint *out, struct err *err);
void docker_endpoint_release(struct docker_endpoint *endpoint);

struct docker_stream;
struct docker {
	struct driver driver;
	const struct node *node;
	const struct driver_env *env;
	struct docker_endpoint endpoint;
	struct httpc_session *session;
	/* What the engine said of itself with the first request; api[0] 0: not asked yet. */
	char api[16];	  /* "/v1.41" */
	char engine[128]; /* "Docker Engine 20.10.24" */
	bool is_podman;
	int64_t patience_ms;	      /* for each answer, whatever it is; 0: as its request says */
	struct docker_stream *stream; /* of events; NULL: none is read */
	char platform[64];	      /* "linux/amd64" once it was asked; "": not yet */
	struct oci *oci;	      /* registries that were asked; NULL: none */
	char *out_of_reach; /* the registry that last answered neither us nor the engine; NULL */
};
static inline struct docker *docker_of(struct driver *driver)
{
	return (struct docker *)(void *)driver;
}
bool docker_is_ours(const struct docker *docker, const json_t *labels);

/* ---- docker_api.c ---- */

struct docker_request {
	const char *method; /* NULL: GET */
	const char *path;   /* behind the version: "/containers/json?all=1" */
	const json_t *body; /* NULL: none, or bytes */
	const void *bytes;  /* a tar archive */
	size_t bytes_len;
	const char *auth; /* X-Registry-Auth; NULL: none */
	int64_t total_ms; /* 0: the usual 30 s */
	/* Takes the answer as it comes, also that of a refusal, and is asked meanwhile; httpc.h. */
	int (*sink)(void *arg, const void *bytes, size_t len);
	void *sink_arg;
	int (*tick)(void *arg);
	void *tick_arg;
	bool raw; /* the answer is no JSON: it goes to text, unless that is NULL */
	struct buf *text;
};
#define DOCKER_ANSWER_MAX ((size_t)64 << 20)

/*
 * Asks, after it has made sure that the engine is one that is understood. Returns the status, 2xx
 * or 304 (already so), and the answer in *out; out is NULL where none is wanted, or with a sink or
 * raw. A refusal is -1 with the engine's own words: E_NOT_FOUND (404), E_CONFLICT (409),
 * E_CREDENTIALS (401, 403), E_NODE_UNREACHABLE (503, no connection), E_ENGINE (all else).
 */
int docker_ask(struct docker *docker, const struct docker_request *request, json_t **out,
	       struct err *err);
/*
 * The engine's own words in the body of a refusal: {"message": ...}, or the text where it is no
 * JSON; as one line, appended. For those with a sink.
 */
void docker_words(const struct buf *body, struct buf *out);
/* The same with a path that is made from a format. */
int docker_get(struct docker *docker, json_t **out, struct err *err, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* 1 and what there is, 0 and nothing when there is none of it, or -1. */
int docker_look_up(struct docker *docker, json_t **out, struct err *err, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
int docker_do(struct docker *docker, const char *method, const json_t *body, struct err *err,
	      const char *fmt, ...) PRINTF_LIKE(5, 6);
/* Asks what it is, once: E_NODE_UNREACHABLE, E_NOT_SUPPORTED. */
int docker_meet(struct docker *docker, struct err *err);
/* Text as a part of a path or query, in arena. */
const char *docker_quote(struct arena *arena, const char *text);

/* ---- docker_spec.c: pure ---- */

/* What a spec becomes on an engine that cannot be read off the spec itself. */
struct docker_make {
	const char *alias;		/* what it answers to on `network` */
	const char *image;		/* what the engine knows the image by */
	const char *network;		/* of its stage; NULL: none */
	const struct strings *declared; /* paths that the image declares as volumes; NULL: none */
	bool is_podman;
};
/* The body of /containers/create; new reference. */
json_t *docker_spec_json(const struct spec *spec, const struct docker_make *make);

/*
 * Limits as the engine counts them; 0 is none. None of them changes in place: an engine's labels
 * cannot change with it, Podman 4 forgets what it was told, and Docker cannot take one away.
 */
#define DOCKER_NANO_CPUS_IN_MILLI 1000000
#define DOCKER_SHARES_OF_ONE_CPU 1024
struct docker_limits {
	int64_t memory, reservation; /* bytes */
	int64_t nano_cpus, shares;
};
struct docker_limits docker_limits_of(const struct container *config);
/* "unless-stopped" */
const char *docker_restart_word(const struct container *config);
/* The path of a volume or file in the container: one that is relative is below workingDirectory. */
const char *docker_inner_path(struct arena *arena, const struct container *config,
			      const char *path);
/* The name on the node of a volume, declared by the image where `declared` is set. */
const char *docker_declared_volume(struct arena *arena, const struct spec *spec, const char *path);

/* ---- docker_seen.c: pure ---- */

/* A workload from an inspection, all in arena; now_ms: wall time. E_BAD_INPUT. */
int docker_seen_workload(const json_t *inspect, int64_t now_ms, struct arena *arena,
			 struct workload *out, struct err *err);
/* Is this State.Status one of a container that never ran? Podman has words of its own for it. */
bool docker_seen_is_new(const char *status);
const json_t *docker_seen_labels(const json_t *inspect);
/* Its configuration from when it was made; NULL: none that can be read. */
const struct container *docker_seen_config(const json_t *labels, struct arena *arena);

/* ---- docker_observe.c ---- */

int docker_observe(struct docker *docker, struct arena *arena, struct observed *out,
		   struct err *err);

/* ---- docker_memo.c ---- */

/* What events spoke of, besides the ids of containers. */
#define DOCKER_HEARD_ALL "*"
#define DOCKER_HEARD_THINGS "things" /* volumes or images */

struct docker_memo {
	const struct look_memo *given;
	json_t *last; /* NULL: nothing is remembered */
	json_t *next;
};
/* Takes what env->memo has; what the engine is need not be asked then. */
void docker_memo_open(struct docker_memo *memo, struct docker *docker);
/*
 * The workload of this row of the list, from the look before, which the next one finds likewise;
 * false: it has to be inspected, and noted.
 */
bool docker_memo_recall(struct docker_memo *memo, const json_t *row, int64_t now_ms,
			struct arena *arena, struct workload *out);
/* The answer about "volumes" or "images", still right; NULL: it has to be asked for. */
const json_t *docker_memo_things(const struct docker_memo *memo, const char *key);
void docker_memo_note(struct docker_memo *memo, const json_t *row, const struct workload *seen,
		      int64_t now_ms, struct arena *arena);
void docker_memo_note_things(struct docker_memo *memo, const char *key, json_t *things);
/* All that was noted, for observed.memo. */
const char *docker_memo_text(struct docker_memo *memo, const struct docker *docker,
			     struct arena *arena);
void docker_memo_release(struct docker_memo *memo);

/* ---- docker_probe.c ---- */

/* A check that is to be made from here, and what an inspection says of where. */
struct docker_probed {
	const struct health_check *check;
	const char *id;
	const char *run;     /* when it was started, in the engine's words: each run has another */
	const char *address; /* NULL: the loopback; "": it has none */
	int64_t running_ms;
};
/* The check by http or tcp that a container was made with; NULL: none. */
const struct health_check *docker_probe_check(const json_t *labels, struct arena *arena);
/* Has the workload such a check, and does it run? All in arena. */
bool docker_probe_needed(const json_t *inspect, const struct workload *seen, struct arena *arena,
			 struct docker_probed *out);

/* Those of a look; all zero: none. */
struct docker_probes {
	VEC(struct docker_probed) v;
};
/*
 * Of a workload with such a check: its health and detail where whoever watches knows them
 * (driver_env.checked), else it is asked by docker_probes_run, which takes as long as the slowest.
 */
void docker_probes_note(struct docker_probes *probes, const struct docker *docker,
			const json_t *inspect, struct workload *seen, struct arena *arena);
void docker_probes_run(struct docker_probes *probes, struct workload *workloads, size_t n,
		       struct arena *arena);
void docker_probes_release(struct docker_probes *probes);

/* ---- docker_checks.c ---- */

struct docker_checks;
/* On a loop of the caller's, which lives longer. */
struct docker_checks *docker_checks_new(struct docker *docker, struct loop *loop);
void docker_checks_free(struct docker_checks *checks); /* NULL is allowed */
/* Finds those that run already. */
int docker_checks_begin(struct docker_checks *checks, struct err *err);
/* Something happened to a container of ours, or to one in its network. */
void docker_checks_event(struct docker_checks *checks, const json_t *event);
/* Is there anything to tell? */
bool docker_checks_changed(const struct docker_checks *checks);
/* All that is known, in place until the next turn of the loop; NULL: nothing new. */
const struct checked_list *docker_checks_told(struct docker_checks *checks);

/* ---- docker_ends.c ---- */

/* Whoever was started again within this time is asked about. */
#define DOCKER_ENDS_WITHIN_MS 60000
/* The exit code of a container's last run, -1: not known. */
int docker_ends_last(struct docker *docker, struct arena *arena, const char *id, int64_t now_ms);
/* The exit code that an event tells, -1: none. */
int docker_ends_code(const json_t *event);

/* ---- docker_ops.c ---- */

struct docker_call {
	struct docker *docker;
	struct arena *arena;
	bool changed;
	struct op_result *result; /* gets what stops tell; NULL: nobody wants it */
};
/*
 * 1 and what the engine tells about the container of that very name, if it is ours; 0 when there
 * is none; -1, E_NAME_FOREIGN.
 */
int docker_find(struct docker_call *call, const char *name, json_t **inspect, struct err *err);
int docker_apply(struct docker *docker, const struct op *op, struct op_result *result,
		 struct err *err);

/* ---- docker_volume.c ---- */

int docker_claim(struct docker_call *call, struct err *err);
/* Those of a spec, with our labels. */
int docker_volumes_make(struct docker_call *call, const struct spec *spec,
			const struct strings *declared, struct err *err);
int docker_volume_remove(struct docker_call *call, const char *name, struct err *err);

/* ---- docker_network.c ---- */

/* The network of a spec's stage, in arena; NULL: it is in none (networkMode). */
const char *docker_network_name(struct arena *arena, const struct spec *spec);
/* The name on the node of a network that a spec asks for: it is the stage's own. */
const char *docker_network_inner(struct arena *arena, const char *stage_network, const char *name);
/* That of the services of a Compose file; NULL: it is none of them. */
const char *docker_network_stack(struct arena *arena, const struct labels *labels);
/* What a container that is called `name` answers to in a network of its. */
const char *docker_network_alias(struct arena *arena, const struct labels *labels,
				 const char *network, const char *name);
/* Makes those of a spec that are missing. */
int docker_networks_make(struct docker_call *call, const struct spec *spec, struct err *err);
/* Connects a container that was made to those of its networks that it is not in. */
int docker_networks_join(struct docker_call *call, const json_t *inspect, const struct spec *spec,
			 const char *name, struct err *err);
/* The container answers to this name, and to no other of ours, in all its networks. */
int docker_networks_alias(struct docker_call *call, const json_t *inspect, const char *name,
			  struct err *err);
/* Networks of its stage that are gone are made anew, and it is connected to them. */
int docker_networks_mend(struct docker_call *call, const json_t *inspect, const char *name,
			 struct err *err);
/* Removes networks of the stage in which no container is left. */
int docker_networks_tidy(struct docker_call *call, const json_t *labels, struct err *err);

/* ---- docker_ports.c ---- */

/*
 * Can the host ports of a container that is to be made be had, those aside that containers of ours
 * still have? body: of its making. E_NAME_FOREIGN says who has one, or which.
 */
int docker_ports_check(struct docker_call *call, const char *name, const json_t *body,
		       struct err *err);
/* Does an engine refuse to start something with these words because a port is taken? */
bool docker_ports_refused(const char *words);

/* ---- docker_image.c ---- */

/* An image reference, and what it means here. */
struct docker_place {
	const char *image; /* as it is written */
	struct image_ref ref;
	const struct registry *registry; /* NULL: without a document */
	const char *repository;		 /* "host/path", as registries and engines call it */
	const char *name; /* "host/path:tag", or with the digest where one is written */
};
/* The tag that is meant: "latest" where none is written. */
const char *docker_place_tag(const struct docker_place *place);
int docker_place_find(struct docker *docker, struct arena *arena, const char *image,
		      struct docker_place *out, struct err *err);
/* What the engine knows the spec's image by: "host/path@sha256:...", or the image's own id. */
int docker_image_name(struct docker *docker, struct arena *arena, const struct spec *spec,
		      const char **out, struct err *err);
/* 1 and *out, 0: the engine has no image of that name. */
int docker_image_find(struct docker *docker, struct arena *arena, const char *name, json_t **out,
		      struct err *err);
/* Fills *err with E_IMAGE_UNKNOWN; words: the registry's, or NULL. */
int docker_image_unknown(const char *image, const char *words, struct err *err);
/* "trueup.invalid/<instance>" */
const char *docker_image_mark(struct docker *docker, struct arena *arena);
/* Paths that the image of a spec declares as volumes; E_IMAGE_UNKNOWN when it was not pulled. */
int docker_image_volumes(struct docker_call *call, const struct spec *spec, struct strings *out,
			 struct err *err);
int docker_pull(struct docker_call *call, const struct spec *spec, struct err *err);
int docker_image_remove(struct docker_call *call, const char *digest, struct err *err);

/* ---- docker_progress.c: pure ---- */

#define DOCKER_LAYERS_MAX 128 /* what an image can have */
#define DOCKER_LAYER_BYTES_MAX ((int64_t)1 << 40)
#define DOCKER_PULL_SLOWEST                                                                        \
	1024 /* bytes in a second; what is slower for its patience has stalled */
#define DOCKER_UNPACK_PATIENCE_MS (30 * 60000) /* Podman says nothing while it unpacks */
struct docker_layer {
	char id[72];
	bool here, unpacks;
	int64_t bytes, total;
};
/* All-zero is the beginning. */
struct docker_progress {
	struct docker_layer layers[DOCKER_LAYERS_MAX];
	size_t layers_n;
	uint64_t unpacked; /* counts what is told of it */
	int64_t since_ms;  /* when it last got on, and how far it was; 0: not asked yet */
	struct op_progress then;
	uint64_t unpacked_then;
};
/* One line of what the engine tells. */
void docker_progress_take(struct docker_progress *progress, const json_t *line);
struct op_progress docker_progress_sum(const struct docker_progress *progress);
/* To be asked now and then, with a clock that never jumps. True: it has stalled. */
bool docker_progress_stalls(struct docker_progress *progress, int64_t patience_ms, int64_t now_ms);

/* ---- docker_pull.c ---- */

/* How long a pull may be slower than DOCKER_PULL_SLOWEST. Not a constant, for the tests' sake. */
extern int64_t docker_pull_patience_ms;
int docker_resolve(struct docker *docker, const char *image, struct buf *digest, struct err *err);
/* Has the engine fetch it by its digest: E_IMAGE_UNKNOWN, E_IMAGE_CHANGED, E_CREDENTIALS. */
int docker_image_bring(struct docker_call *call, const struct docker_place *place,
		       const char *digest, struct err *err);

/* ---- the rest ---- */

int docker_files_put(struct docker_call *call, const char *id, const struct container *config,
		     struct err *err);
/* The archive with the files of a configuration, appended. */
void docker_files_tar(struct arena *arena, const struct container *config, struct buf *out);
int docker_watch(struct docker *docker, struct err *err);
/* As driver_ops.heard. */
const struct map *docker_heard(const struct docker *docker);
int docker_watch_read(struct docker *docker, struct err *err);
void docker_watch_end(struct docker *docker);
const struct checked_list *docker_checked(struct docker *docker);
/* Is this event of the stream one that may concern us? */
bool docker_event_matters(const json_t *event);
int docker_logs(struct docker *docker, const struct log_request *request, struct err *err);
void docker_check(const struct node *node, const struct driver_env *env, const struct spec *spec,
		  const struct unit *unit, struct diags *diags);

#endif
