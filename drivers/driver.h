/*
 * driver.h - the contract between the engine and whatever runs containers.
 *
 * A driver is one file of statics and a `struct driver_ops` at its bottom
 * (memory.c is the one to read first). The engine opens one driver per node in
 * a short-lived child, calls it, closes it. Drivers keep nothing between calls
 * that the node does not keep: a driver opened twice sees the same.
 *
 *	driver_open(node, &env, &driver, err)
 *	driver->ops->observe(driver, arena, &observed, err)     read-only
 *	driver->ops->apply(driver, &op, &result, err)            one change
 *	driver_close(&driver)
 *
 * Decorators (trace, fault, dryrun) are drivers that hold another one and pass
 * calls on; they own what they wrap.
 */
#ifndef TRUEUP_DRIVERS_DRIVER_H
#define TRUEUP_DRIVERS_DRIVER_H

#include "base/buf.h"
#include "base/map.h"
#include "drivers/workload.h"
#include "schema/diag.h"
#include "schema/kinds.h"

/*
 * What a driver remembers of a look at a node, in a form of its own (observed.memo). The next look
 * that is given it asks for no more than what may have changed since. It holds for as long as
 * somebody reads the node's events.
 */
struct look_memo {
	const char *text;
	const struct map *heard; /* keys: all that driver_ops.heard told since that look began */
};

/* What a driver needs to know of the reconciler. All owned by the caller and longer-lived. */
struct driver_env {
	const char *state_dir; /* absolute */
	const char *owner;     /* <organization>/<instance id>, for labels and the marker */
	const struct settings *settings; /* policy; never NULL */
	const char *self;		 /* path of this binary, for supervisors */
	/*
	 * What whoever watches the node was told of its containers (driver_ops.checked), for looks;
	 * NULL: nobody watches.
	 */
	const struct checked_list *checked;
	const struct look_memo *memo; /* for looks; NULL: everything is asked for */
	/* For Registries, by name and with their credentials; NULL: none is known. */
	const struct model *model;
	/* What an image means is only asked; no engine is made to pull it for an answer. */
	bool only_ask;
};

/*
 * One change on a node. Each is idempotent: already so is success, half-way is completed. What is
 * not ours is never touched: E_NAME_FOREIGN. Every driver is held to these sentences by
 * tests/unit/test_driver_contract.c.
 */
enum op_kind {
	/* Put our marker on the node; another owner's marker is E_NODE_OWNED. */
	OP_CLAIM = 1,
	/*
	 * Make spec->digest of spec->image available; touches nothing that runs. E_IMAGE_UNKNOWN;
	 * E_IMAGE_CHANGED when the image is there but that digest of it is no longer to be had.
	 */
	OP_PULL,
	/*
	 * Make container `name` (spec->name, or that and NEXT_SUFFIX) from spec, not started. One
	 * of ours of that name with the same spec label is already so, with another one E_CONFLICT.
	 * E_IMAGE_UNKNOWN when the image was not pulled.
	 */
	OP_CREATE,
	/*
	 * Start container `name`; one that is paused goes on. E_NOT_FOUND. An engine that can lose
	 * an image that a container was made from fetches it again, with the errors of OP_PULL.
	 */
	OP_START,
	/*
	 * Stop it: its stop signal, then KILL after its stop timeout. One that is not there is
	 * stopped.
	 */
	OP_STOP,
	/*
	 * Container `name` answers to the name `to` on its networks, beside the one that is called
	 * so, which may then go; connections that it has made itself may break. E_NOT_FOUND.
	 * Without driver_ops.aliases there is nothing to do.
	 */
	OP_ALIAS,
	/* Remove container `name`, stopped or running (it is stopped first); volumes stay. */
	OP_REMOVE,
	/*
	 * Container `name` becomes `to`, with the aliases of `to`, without a restart. One of ours
	 * that is still called `to` is E_CONFLICT; `name` absent and `to` there is already so; both
	 * absent is E_NOT_FOUND.
	 */
	OP_RENAME,
	/*
	 * Bring the OPS fields of container `name` to spec without a restart, and its spec label
	 * where the engine can change labels. E_NOT_SUPPORTED when a field differs that is not in
	 * live_fields: the plan then replaces. E_NOT_FOUND.
	 */
	OP_UPDATE,
	/* Delete volume `name` and what is in it; E_CONFLICT while a container has it. */
	OP_VOLUME_REMOVE,
	/* Drop the image with digest `name`; one in use stays, and that is success. */
	OP_IMAGE_REMOVE,
	OPS_COUNT,
};
const char *op_word(enum op_kind kind); /* "pull", "create", ... */
enum op_kind op_find(const char *word); /* 0: none */

struct op {
	enum op_kind kind;
	const char *name;	 /* container, volume or digest; NULL for claim and pull */
	const char *to;		 /* alias, rename; create: what it answers to, NULL: `name` */
	const struct spec *spec; /* pull, create, update; NULL otherwise */
};
/* {"op":"create","name":...,"to":...,"spec":{...}}; new reference. */
json_t *op_json(const struct op *op);
/* E_BAD_INPUT also when a member is missing that the kind needs. */
int op_from_json(const json_t *json, struct arena *arena, struct op *out, struct err *err);

/* How far a pull is, as far as its engine tells. */
struct op_progress {
	int layers, layers_done; /* that it knows of by now; that are there */
	int64_t bytes, total;	 /* of those that come from the registry; total 0: not told */
};
/* {"layers","layersDone","bytes","total"}, a new reference; and back, whatever it says. */
json_t *op_progress_json(const struct op_progress *progress);
struct op_progress op_progress_from_json(const json_t *json);
/* Appends "12.3 of 45.6 MiB, layer 3 of 7"; nothing where no layer is known yet. */
void op_progress_words(const struct op_progress *progress, struct buf *out);

#define SIGNAL_NAME_MAX 20
struct op_result {
	bool changed;	 /* false: it was already so */
	int64_t took_ms; /* 0: of one that failed not every driver knows it */
	/* Of a stop: the signal that did not end it, so that it was killed in the end; "": none. */
	char unheard[SIGNAL_NAME_MAX];
	struct buf detail; /* the engine's own words, for people; may be empty; caller releases */
	/*
	 * Is told how far a pull is, once its driver knows: whenever it hears of it, and about once
	 * a second when it does not. NULL: nobody wants it.
	 */
	void (*progress)(void *arg, const struct op_progress *progress);
	void *progress_arg;
};

/* A line that a container wrote. */
struct log_line {
	int64_t at_ns;	  /* wall time; 0: the node keeps no times of lines */
	bool is_error;	  /* standard error; false also where the two are not told apart */
	const char *text; /* as it was written, without its newline, NUL-terminated */
	size_t len;
};
#define LOG_LINE_MAX ((size_t)16 << 10) /* bytes; a longer one is told in pieces */
#define LOG_ALL INT_MAX

struct log_request {
	const char *name; /* of the container */
	int lines;	  /* at most so many of the last; LOG_ALL: all that are kept */
	int64_t after_ns; /* only what was written then or later; 0: all */
	bool follow;	  /* what is written from now on as well, until it ends or is gone */
	int (*take)(void *arg, const struct log_line *line); /* -1: wants no more */
	void *arg;
};

struct driver;

/*
 * The fields of one type of object that a driver carries out, as bits by field number. Objects of
 * types that a driver does not list are carried out whole.
 */
struct driver_fields {
	const struct object_type *type;
	uint64_t fields;
};

/* What to write instead of a field that a driver does not carry out. */
struct driver_way {
	const struct object_type *type;
	unsigned field; /* number */
	const char *hint;
};

struct driver_ops {
	const char *name; /* as in `driver:` of a Node */

	/* Ends with a type of NULL; of a container all that is not listed is DIAG_NOT_SUPPORTED. */
	const struct driver_fields *carries;
	/* Ends with a type of NULL; NULL: there is nothing to say. */
	const struct driver_way *ways;

	/*
	 * Makes *out for a node. No I/O beyond what cannot fail to be there; E_CREDENTIALS,
	 * E_POLICY or E_BAD_INPUT when the node document cannot be used with these settings.
	 */
	int (*open)(const struct node *node, const struct driver_env *env, struct driver **out,
		    struct err *err);
	void (*close)(struct driver *driver);

	/*
	 * Pure: what driver_check cannot tell from `carries` and the policy, of this driver alone:
	 * reports every field of spec that cannot be as it is on this node (DIAG_NOT_SUPPORTED,
	 * DIAG_POLICY, DIAG_BAD_VALUE) at the field's location. env NULL: the settings are not
	 * known (validate). NULL: nothing more to say.
	 */
	void (*check)(const struct node *node, const struct driver_env *env,
		      const struct spec *spec, const struct unit *unit, struct diags *diags);
	/* Can both of these run side by side while one replaces the other? Fixed answer. */
	bool prefers_recreate;
	/* Do containers find each other on networks, by names that pass from one to another? */
	bool aliases;
	/* Is a container's port one of the node's own, since nothing stands between them? */
	bool shares_ports;
	/* Can OP_UPDATE change these OPS fields (bit mask over container_*_F) on a running
	 * container? */
	uint64_t live_fields;

	/* Cheap: is it there, and what is it? engine gets a text like "host". E_NODE_UNREACHABLE.
	 */
	int (*probe)(struct driver *driver, struct buf *engine, struct err *err);
	/* Everything of ours on the node; read-only. E_NODE_UNREACHABLE when it cannot be seen. */
	int (*observe)(struct driver *driver, struct arena *arena, struct observed *out,
		       struct err *err);
	/* The digest ("sha256:...") that an image reference means now; read-only. E_IMAGE_UNKNOWN.
	 */
	int (*resolve)(struct driver *driver, const char *image, struct buf *digest,
		       struct err *err);
	/* One change. result may be NULL. */
	int (*apply)(struct driver *driver, const struct op *op, struct op_result *result,
		     struct err *err);

	/*
	 * A descriptor that becomes readable when something on the node may have changed, -1/err
	 * where there is none to be had. watch_read empties it: 1 something changed, 0 nothing of
	 * ours, -1 events were lost: look at everything.
	 */
	int (*watch)(struct driver *driver, struct err *err);
	int (*watch_read)(struct driver *driver, struct err *err);
	/*
	 * What the events were about that the last watch_read took in, whatever that returned: the
	 * keys are the driver's own words for look_memo, in place until the next watch_read. NULL:
	 * nothing. NULL in the table: its looks remember nothing.
	 */
	const struct map *(*heard)(struct driver *driver);
	/*
	 * The health of containers that nobody on the node checks, so that the driver does it for
	 * as long as it watches: all of them, whenever one has changed, which makes watch_read
	 * say 1. NULL: nothing new. It stands until the next watch_read. NULL in the table: there
	 * is no such thing. Looks that are given it (driver_env.checked) take it as it is; a look
	 * without it checks once, and takes it that all checks before failed.
	 */
	const struct checked_list *(*checked)(struct driver *driver);

	/*
	 * What a container wrote, oldest first. 0: all was told, or `take` wants no more.
	 * E_NOT_FOUND; E_NOT_SUPPORTED where lines have no times and after_ns asks for them, or,
	 * behind what there is, where what comes cannot be followed.
	 */
	int (*logs)(struct driver *driver, const struct log_request *request, struct err *err);
};

/* Every driver's struct begins with this. */
struct driver {
	const struct driver_ops *ops;
};

/* The driver that serves a kind of node (a row in driver.c); NULL when this build has none. */
const struct driver_ops *driver_find(enum driver_value kind);
/*
 * Opens the node's driver. TRUEUP_TRACE in the environment wraps it in trace, TRUEUP_FAULT in
 * fault (see fault.h): both only in builds with -DTRUEUP_FAULTS, which the tests use.
 */
int driver_open(const struct node *node, const struct driver_env *env, struct driver **out,
		struct err *err);
void driver_close(struct driver **driver);
/* The last n lines that container `name` wrote, each with its newline, appended to out. */
int driver_tail(struct driver *driver, const char *name, int n, struct buf *out, struct err *err);
#define AUTO_DRIVER CLEANUP(driver_close)

/*
 * Can this be had on this node? Reports every field that the driver does not carry out, that the
 * policy in env->settings does not allow, and what the driver itself has to say. Pure. env NULL:
 * the settings are not known (validate), so the policy is not checked.
 */
void driver_check(const struct driver_ops *ops, const struct node *node,
		  const struct driver_env *env, const struct spec *spec, const struct unit *unit,
		  struct diags *diags);
/*
 * May images of this Registry ("hub": Docker Hub) run on the node, by the policy? Apart from
 * driver_check, because only the model knows whose an image is. env NULL: yes.
 */
bool driver_registry_allowed(const struct node *node, const struct driver_env *env,
			     const char *registry);
/*
 * For drivers: may OP_UPDATE bring a container with this digest and configuration to spec?
 * E_NOT_SUPPORTED names the first field that is not in live_fields.
 */
int driver_check_update(const struct driver_ops *ops, const char *digest,
			const struct container *config, const struct spec *spec, struct err *err);

extern const struct driver_ops driver_memory, driver_host, driver_docker;

#endif
