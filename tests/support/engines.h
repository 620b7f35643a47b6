/*
 * engines.h - the engines that engines.sh has started, for tests of the docker driver.
 *
 * They are shared: a program holds them from engines_take to its end, so that no other one meets
 * what it makes there.
 */
#ifndef TRUEUP_TESTS_ENGINES_H
#define TRUEUP_TESTS_ENGINES_H

#include "drivers/docker.h"

/* Waits until the engines are ours alone. Nothing where there are none. */
void engines_take(void);
/* Why there is no such engine ("docker", "podman") here; NULL: there is one. */
const char *engine_missing(const char *engine);
/* A node of that engine. */
struct node engine_node(struct arena *arena, const char *name, const char *engine);
/* "127.0.0.1:5000/shop/web:1" */
const char *engine_image(struct arena *arena, const char *image);
/* The same image where a login is wanted; its host goes to *host. */
const char *engine_closed_image(struct arena *arena, const char *image, const char **host);
#define ENGINE_LOGIN "echo ann >username; echo 'open: sesame' >password"
/* Removes what a driver of ours left there: containers, volumes, networks, marks of images. */
void engine_clean(struct driver *driver);
/* What the engine itself tells of a container; the test fails when there is none. New reference. */
json_t *engine_inspect(struct driver *driver, const char *name);

/* Waits until the log of a container is this. */
void engine_await_log(struct driver *driver, const char *name, const char *expected);
/* Something done by hand: the engine is asked, and the test fails unless it obeys. */
void engine_hand(struct driver *driver, const char *method, const char *body, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* From now on this program is on the engine's machine: it has the network that the engine has. */
void engine_enter(const char *engine);

/* What a case works with: an engine, empty as far as we are concerned. */
struct engine_bench {
	struct arena *arena;
	struct node node;
	struct driver_env env;
	struct driver *driver; /* opened by TEST_OWNER */
	const char *image;     /* web:1 */
	bool is_podman;
};
struct engine_case {
	const char *name;
	void (*run)(struct engine_bench *bench);
};
/* Each case on each engine; cleans up behind each. A program's main ends with it. */
int engine_run_cases(const char *group, const struct engine_case *cases, size_t n);

#endif
