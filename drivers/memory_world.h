/*
 * memory_world.h - what a pretended node does on its own: the rules, and what follows from them.
 * Used by memory.c; tests use memory.h.
 */
#ifndef TRUEUP_DRIVERS_MEMORY_WORLD_H
#define TRUEUP_DRIVERS_MEMORY_WORLD_H

#include "drivers/memory.h"
#include "drivers/memory_store.h"

/* A container as it is kept. */
enum kept_state { KEPT_CREATED, KEPT_STARTED, KEPT_STOPPED };
struct kept {
	struct spec spec;
	const char *id;
	enum kept_state state;
	int64_t started_ms; /* by the world's clock */
	int exit_code;	    /* of a stopped one; -1: it never ran */
	const char *log;    /* lines; NULL: none */
};

/* The world's behaviour.json; texts are the JSON's own. Release it. */
struct memory_rules {
	json_t *json; /* an object */
	int64_t now_ms;
	const char *unreachable; /* NULL: it answers */
};
int memory_rules_load(struct memory_store *store, struct memory_rules *rules, struct err *err);
void memory_rules_release(struct memory_rules *rules);
#define AUTO_RULES CLEANUP(memory_rules_release)

/* The rule of a container (name NULL: of the image alone). */
void memory_rules_find(const struct memory_rules *rules, const char *name, const char *image,
		       struct memory_behaviour *out);
bool memory_rules_is_foreign(const struct memory_rules *rules, const char *name);

/* Fills state, health, running_ms, restarts, exit_code and detail for this moment. Pure. */
void memory_look(const struct kept *kept, const struct memory_behaviour *behaviour, int64_t now_ms,
		 struct arena *arena, struct workload *out);
/* Does it occupy what it was given (ports)? */
bool memory_is_up(enum run_state state);

/* The store behind the world attached to a node's name; NULL: there is none. */
struct memory_store *memory_world_find(const char *node);

#endif
