/*
 * memory.h - nodes that only pretend: for trials, and for every test that needs no engine.
 *
 * A node of `driver: memory` with `endpoint: file:///folder` keeps its world in that folder, one
 * small JSON file for each container, volume and image: every process that opens it sees the same,
 * and so does a restarted reconciler. Without an endpoint a node is served by the world that this
 * process has attached to its name.
 *
 *	AUTO_WORLD struct memory_world *world = memory_world_new();
 *	memory_world_attach(world, "edge-1");
 *	memory_world_image(world, "local/web:2", &(struct memory_behaviour){
 *		.exit_after_ms = 0, .exit_code = 1, .unhealthy_after_ms = -1}, &err);
 *	memory_world_advance(world, 5000, &err);
 *
 * What a world does on its own is `behaviour.json` in the folder, which may be written by hand:
 *
 *	{"clockMs": 5000,                    absent: real time
 *	 "unreachable": "no route to host",  absent: it answers
 *	 "foreign": ["db"],                  names in use by somebody else
 *	 "images": {"local/web:2": {"exitAfterMs": 0, "exitCode": 1}, "*": {}},
 *	 "containers": {"shop-prod-web": {"healthyAfterMs": 3000}}}
 *
 * The rule for a container is the one under its present name without NEXT_SUFFIX, else that of its
 * image reference, else that of "*", else it runs and is healthy for ever. Nothing ticks: what a
 * container does is computed from the time of its start whenever somebody looks. One that ends by
 * itself and is to be started again rests MEMORY_BACKOFF_MS in between.
 */
#ifndef TRUEUP_DRIVERS_MEMORY_H
#define TRUEUP_DRIVERS_MEMORY_H

#include "drivers/driver.h"

#define MEMORY_BACKOFF_MS 1000

struct memory_behaviour {
	const char *digest;	    /* of an image; NULL: SHA-256 of its reference */
	bool unknown;		    /* there is no such image */
	const char *no_registry;    /* where it is nobody answers, in these words (E_REGISTRY) */
	int64_t rest_ms;	    /* with no_registry: it asks to be left alone for so long */
	const char *no_login;	    /* its registry wants another login (E_CREDENTIALS) */
	const char *refuse;	    /* making a container fails with these words (E_ENGINE) */
	int64_t exit_after_ms;	    /* its run ends after so long; -1: never */
	int exit_code;		    /* with this code */
	int64_t healthy_after_ms;   /* with a health check: starting until then */
	int64_t unhealthy_after_ms; /* with a health check: unhealthy from then on; -1: never */
	bool ignores_stop;	    /* is killed when it is stopped: exit code 137, else 0 */
	const char *output;	    /* lines it writes at each OP_START */
};
#define MEMORY_BEHAVIOUR_INIT                                                                      \
	{                                                                                          \
		.exit_after_ms = -1, .unhealthy_after_ms = -1                                      \
	}

struct memory_world;
#define AUTO_WORLD CLEANUP(memory_world_free)

/* A world in this process. A forked child has a copy of its own. */
struct memory_world *memory_world_new(void);
/* The world of a folder, to set up what happens there; made when something is put into it. */
struct memory_world *memory_world_open(const char *folder);
/* Detaches it from its nodes; drivers opened on them must be closed. Sets the variable to NULL. */
void memory_world_free(struct memory_world **world);
/* From now on nodes of that name without an endpoint are served by this world. */
void memory_world_attach(struct memory_world *world, const char *node);

/* Rules; a later one for the same image or container replaces the earlier one. */
int memory_world_image(struct memory_world *world, const char *image,
		       const struct memory_behaviour *behaviour, struct err *err);
int memory_world_container(struct memory_world *world, const char *name,
			   const struct memory_behaviour *behaviour, struct err *err);
/* NULL: it answers again. */
int memory_world_unreachable(struct memory_world *world, const char *why, struct err *err);
/* From now on time stands still at now_ms and moves by memory_world_advance alone. */
int memory_world_set_clock(struct memory_world *world, int64_t now_ms, struct err *err);
/* Starts at 0 when the clock was never set. */
int memory_world_advance(struct memory_world *world, int64_t by_ms, struct err *err);
/* Something that is not ours gets this name. */
int memory_world_add_foreign(struct memory_world *world, const char *name, struct err *err);

#endif
