/*
 * look.h - one read-only look at a node, in a child: what is there, and what image references mean.
 */
#ifndef TRUEUP_ENGINE_LOOK_H
#define TRUEUP_ENGINE_LOOK_H

#include "drivers/driver.h"
#include "engine/job.h"

#define LOOK_DEADLINE_MS 60000
#define LOOK_LOG_LINES 20

struct look_request {
	const struct node *node;
	const struct driver_env *env;
	const char *const *images; /* references to resolve */
	size_t images_n;
	bool only_images;    /* what is there is not asked for: observed stays empty */
	int64_t deadline_ms; /* 0: LOOK_DEADLINE_MS */
};

struct look_image {
	const char *image;
	const char *digest; /* NULL: error says why */
	const char *error;
	enum err_code code;
	int64_t rest_ms; /* of struct err */
};
struct look_log {
	const char *name, *text;
};

/* What came back; texts live in its arena, which the receiver takes over. */
struct look_result {
	struct arena *arena;
	struct observed observed;
	struct look_image *images;
	size_t images_n;
	struct look_log *logs; /* the last lines of each container that does not run well */
	size_t logs_n;
};

struct look;
/* done: result NULL and *failure when the node could not be seen. Called once. */
struct look *look_start(struct loop *loop, const struct look_request *request,
			void (*done)(void *owner, struct look_result *result,
				     const struct err *failure),
			void *owner, struct err *err);
void look_cancel(struct look **look);
void look_result_free(struct look_result *result);

/* The same without a child or a loop, for one-shot commands. NULL and *err on failure. */
struct look_result *look_now(const struct look_request *request, struct err *err);

#endif
