/*
 * memory_node.h - a node of the memory driver in the course of one call: texts on shelves,
 * containers, images. Used by memory.c and memory_ops.c.
 */
#ifndef TRUEUP_DRIVERS_MEMORY_NODE_H
#define TRUEUP_DRIVERS_MEMORY_NODE_H

#include "base/json.h"
#include "drivers/memory_world.h"

struct memory {
	struct driver driver;
	struct memory_store *store;
	bool owns_store;
	char *node, *owner;
	int watch; /* -1: none yet */
};
static inline struct memory *memory_self(struct driver *driver)
{
	return (struct memory *)(void *)driver;
}

/* What a call has in hand. */
struct memory_call {
	struct memory *memory;
	struct memory_store *store;
	struct memory_rules rules;
	struct arena *arena; /* of this call */
	bool changed;
	const char *unheard; /* by what a stop ended that took KILL; NULL: all heard */
};
#define AUTO_CALL CLEANUP(memory_call_end)
/* Every call looks whether the node answers: E_NODE_UNREACHABLE. End it in any case. */
int memory_call_begin(struct driver *driver, struct memory_call *call, struct err *err);
void memory_call_end(struct memory_call *call);

/* 1 and *json, 0 when there is none. */
int memory_load(struct memory_call *call, enum shelf shelf, const char *name, json_t **json,
		struct err *err);
/* Both mark the call as one that changed something. Removing what is not there changes nothing. */
int memory_save(struct memory_call *call, enum shelf shelf, const char *name, const json_t *json,
		struct err *err);
int memory_drop(struct memory_call *call, enum shelf shelf, const char *name, struct err *err);
bool memory_is_ours(const struct memory_call *call, const char *owner);

/* One container on the node. */
struct memory_found {
	json_t *json; /* as kept; to be changed and saved */
	struct kept kept;
	struct workload seen; /* only state and what belongs to it */
};
#define AUTO_FOUND CLEANUP(memory_found_release)
void memory_found_release(struct memory_found *found);
extern const char *const memory_kept_words[]; /* by enum kept_state */

/* 1 and *found with its texts in arena, whoever's it is; 0 when there is none. */
int memory_find_any(struct memory_call *call, const char *name, struct arena *arena,
		    struct memory_found *found, struct err *err);
/* The same, but what is not ours is E_NAME_FOREIGN. Texts in the call's arena. */
int memory_find(struct memory_call *call, const char *name, struct memory_found *found,
		struct err *err);
/* The same, and E_NOT_FOUND when there is none; 0 when there is. */
int memory_must_find(struct memory_call *call, const char *name, struct memory_found *found,
		     struct err *err);
/* Calls use for each container, whoever's it is, by name, until one answers with non-zero. */
int memory_each(struct memory_call *call, struct arena *arena,
		int (*use)(void *arg, const char *name, const struct memory_found *found),
		void *arg, struct err *err);

/*
 * The digest that an image reference means now, in the call's arena. E_IMAGE_UNKNOWN, and what the
 * rules say of its registry: E_REGISTRY, E_CREDENTIALS.
 */
int memory_current_digest(struct memory_call *call, const char *image, const char **out,
			  struct err *err);
/* Fills *err with E_IMAGE_UNKNOWN. */
int memory_image_unknown(const char *image, struct err *err);

/* The changes, by kind of op; in memory_ops.c. */
extern int (*const memory_changes[OPS_COUNT])(struct memory_call *call, const struct op *op,
					      struct err *err);

#endif
