/*
 * driver.h - what tests of drivers, and of what uses them, build: nodes, specs, changes.
 */
#ifndef TRUEUP_TESTS_DRIVER_H
#define TRUEUP_TESTS_DRIVER_H

#include "drivers/driver.h"

#define TEST_OWNER "acme/0123456789abcdef"
#define TEST_OTHER "acme/fedcba9876543210"

/* The environment of a driver: default settings, TEST_OWNER. */
extern const struct driver_env test_env;

/* A container's configuration from manifest JSON; fails the test when it is wrong. */
const struct container *test_config(struct arena *arena, const char *json);
/*
 * A spec of project shop, stage prod, deployment web, product storefront, prefix shop-prod: every
 * label set, `spec` too. name: as on the node. digest: what driver says of the image; driver NULL:
 * what the memory driver would.
 */
struct spec *test_spec(struct arena *arena, struct driver *driver, const char *name,
		       const char *image, const char *config_json);

/* A memory node: endpoint file://folder, or none when folder is NULL. */
struct node test_memory_node(struct arena *arena, const char *name, const char *folder);

/* One change; the test fails when it does. Returns whether it changed something. */
bool test_apply(struct driver *driver, enum op_kind kind, const char *name, const char *to,
		const struct spec *spec);
/* The error that a change gives; E_NONE when it worked. */
enum err_code test_apply_code(struct driver *driver, enum op_kind kind, const char *name,
			      const char *to, const struct spec *spec);
/* pull, create, start. */
void test_run_spec(struct driver *driver, const struct spec *spec);
/* What is on the node; the test fails when it cannot be seen. */
struct observed test_observe(struct driver *driver, struct arena *arena);
/* The container of that name; the test fails when there is none. */
struct workload test_see(struct driver *driver, struct arena *arena, const char *name);

#endif
