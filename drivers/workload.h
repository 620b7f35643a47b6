/*
 * workload.h - a container as it is wanted (spec) and as it is seen (workload): the same types for
 * every driver, so that a difference is one walk over two sorted lists.
 */
#ifndef TRUEUP_DRIVERS_WORKLOAD_H
#define TRUEUP_DRIVERS_WORKLOAD_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "schema/model.h"

/* Every label begins with it on engines that have labels: dev.trueup.owner and so on. */
#define LABEL_NAMESPACE "dev.trueup."

/*
 * What marks a container as ours and says what it belongs to. `record` and `commit` say which
 * record created it; they are outside the spec hash, since labels cannot be changed later.
 */
struct labels {
	const char *owner; /* <organization>/<instance id> */
	const char *node, *project, *stage, *deployment;
	const char *product, *version; /* version NULL: simple product */
	const char *prefix;
	const char *container; /* name in the product */
	const char *init;      /* it runs to its end before `container` starts: its name; NULL: it
				  is the container itself */
	const char *stack;     /* Compose file whose service it is: it answers to the service's name
				  there; NULL: of none */
	const char *spec;      /* hash of the spec, as spec_hash gives it */
	const char *commit;    /* full id */
	int64_t record;
};
/* Calls use("owner", value) for each label that is set, in fixed order; numbers as text. */
void labels_each(const struct labels *labels,
		 void (*use)(void *arg, const char *key, const char *value), void *arg);
/* Sets the member called key; an unknown key or a bad number is -1. value is kept, not copied. */
int labels_set(struct labels *labels, const char *key, const char *value);

/*
 * Are both the same reconciler? The instance id behind the slash tells; the organization's name
 * before it is for people, and may have been another one when a label was written. NULL is nobody.
 */
bool owner_same(const char *a, const char *b);

/* A container that is wanted on a node, everything resolved. */
struct spec {
	const char *name;   /* <prefix>-<container>, and -2, -3... for further instances */
	int instance;	    /* from 1 */
	const char *image;  /* as written in the manifest */
	const char *digest; /* sha256:<hex>, what really runs */
	const struct container *config; /* merged, templates expanded; never NULL */
	struct labels labels;
};
#define SPEC_HASH_FORMAT "1"
/*
 * "1:<64 hex>" over the image digest (the reference only where there is no digest: a tag that is
 * written differently but means the same image changes nothing) and every set field of config but
 * scale, in canonical form.
 */
void spec_hash(const struct spec *spec, char out[HASH_HEX_SIZE + 8]);

/* It is to run to its end (expect: exited). NULL is none. */
bool container_is_job(const struct container *config);
/* What is in force when restartPolicy is not set: `no` for a job (expect: exited). */
enum restart_policy_value container_restart_policy(const struct container *config);
/* A volume's name on the node, "<prefix>-<volume>"; NULL where it has none (hostPath, tmp). */
char *volume_node_name(struct arena *arena, const char *prefix, const struct volume *volume);

enum run_state {
	RUN_CREATED = 1, /* there, never started */
	RUN_RUNNING,
	RUN_RESTARTING, /* ended, waits to be started again by its restart policy */
	RUN_EXITED,	/* ended, will not be started again by itself */
	RUN_STOPPED,	/* ended because it was told to, or with its supervisor or the machine */
	RUN_PAUSED,	/* somebody keeps it from going on; starting it lets it */
	RUN_UNKNOWN,
};
enum run_health {
	HEALTH_NONE = 1, /* has no health check */
	HEALTH_STARTING,
	HEALTH_HEALTHY,
	HEALTH_UNHEALTHY,
	HEALTH_UNKNOWN,
};
const char *run_state_word(enum run_state state);
const char *run_health_word(enum run_health health);

/* A container that is there and bears our owner label. */
struct workload {
	const char *name; /* its present name, ".next" included */
	const char *id;	  /* the engine's own */
	const char *image, *digest;
	const struct container *config; /* as the engine has it, normalised; NULL: unreadable */
	struct labels labels;
	enum run_state state;
	enum run_health health; /* with a check, but not running: HEALTH_UNKNOWN */
	int64_t running_ms;	/* how long the present run has lasted; 0 when not running */
	int restarts;		/* since it was created */
	int exit_code;		/* of the last run; -1: none yet; 128 + n: by signal n */
	const char *detail;	/* the engine's words on its state, or NULL */
};
/* Between the name of a container and that of one that runs before it. */
#define INIT_INFIX ".init-"
/* Suffix of a container that comes up beside the one it replaces. */
#define NEXT_SUFFIX ".next"
/* How much of a container's name is the one that it has for good, without that suffix. */
size_t workload_stem_length(const char *name);
/* Its state in one phrase: "restarting, 3 restarts: exited with status 3; starts again after 4s".
 */
void workload_tell(const struct workload *workload, struct buf *out);

struct volume_seen {
	const char *name;			  /* on the node: <prefix>-<volume> */
	const char *project, *stage, *deployment; /* from its labels */
};

/* One look at a node. All in the arena that was given to observe. */
struct observed {
	const char *node;
	const char *engine;	    /* "host", "Docker Engine 20.10.24" */
	const char *engine_id;	    /* same for two nodes exactly when they are the same engine */
	const char *owner;	    /* the marker's owner; NULL: nobody has claimed the node */
	struct workload *workloads; /* sorted by name */
	size_t workloads_n;
	struct volume_seen *volumes; /* sorted by name */
	size_t volumes_n;
	const char **images; /* digests of what trueup brought there, half-made too; sorted */
	size_t images_n;
	const char **foreign; /* names in use that are not ours, sorted; for name-foreign */
	size_t foreign_n;
	const char *memo; /* the driver's own, for its next look; NULL: none. Not in the JSON */
};

/* What a check that the driver made itself says of one run of a container. */
struct checked {
	const char *id, *run; /* the engine's own words for both */
	enum run_health health;
	const char *text; /* why it failed; "" where it did not */
};
struct checked_list {
	struct checked *v;
	size_t n;
};
const struct workload *observed_find(const struct observed *observed, const char *name);
void observed_sort(struct observed *observed);

/* For pipes, the memory driver, golden tests and --json: the same JSON everywhere. New references.
 */
json_t *labels_json(const struct labels *labels);
json_t *spec_json(const struct spec *spec);
json_t *workload_json(const struct workload *workload);
json_t *observed_json(const struct observed *observed);
json_t *checked_json(const struct checked_list *list);
int labels_from_json(const json_t *json, struct arena *arena, struct labels *out, struct err *err);
int spec_from_json(const json_t *json, struct arena *arena, struct spec *out, struct err *err);
int workload_from_json(const json_t *json, struct arena *arena, struct workload *out,
		       struct err *err);
int checked_from_json(const json_t *json, struct arena *arena, struct checked_list *out,
		      struct err *err);
int observed_from_json(const json_t *json, struct arena *arena, struct observed *out,
		       struct err *err);

#endif
