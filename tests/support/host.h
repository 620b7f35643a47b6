/*
 * host.h - a host node to try things on: images as folders of scripts, a data root, a driver.
 *
 * The test program is its own supervisor: its main is HOST_TEST_MAIN(tests).
 */
#ifndef TRUEUP_TESTS_HOST_H
#define TRUEUP_TESTS_HOST_H

#include "tests/support/driver.h"

/*
 * Fills node and env for a data root and images in the folder. setting: one more override of the
 * settings, "policy.hostPorts=1-65535", or NULL.
 */
void host_prepare(struct arena *arena, const char *folder, const char *setting, struct node *node,
		  struct driver_env *env);
/* Puts a shell script into an image of the folder; image: "web/1" for local/web:1. */
void host_program(const char *folder, const char *image, const char *path, const char *text);

struct host_bench {
	char *folder; /* of the test, with images/ and data/ in it */
	struct arena *arena;
	struct node node;
	struct driver_env env;
	struct driver *driver;
};
/* The one node a test program works with, and its setup and teardown for cmocka. */
extern struct host_bench host;
int host_bench_setup(void **state);
int host_bench_teardown(void **state);
#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, host_bench_setup, host_bench_teardown)

/* Claimed. setting: as above. */
void host_bench_open(const char *setting);
/* Removes every workload, and the folder. */
void host_bench_close(void);
/* For short: one change, a look, pull with create and start. */
bool host_apply_on(enum op_kind kind, const char *name);
struct workload host_see(const char *name);
struct spec *host_run(const char *script, const char *config);
/* Another driver on the same node, by another owner when owner is not NULL. */
struct driver *host_bench_another(const char *owner);

/* A script, or a file that is none, in an image. */
void host_bench_program(const char *image, const char *path, const char *text);
void host_bench_file(const char *image, const char *path, const char *text);
/* The image local/web:1 with the program `run`, and a spec shop-prod-web that runs it. */
struct spec *host_bench_spec(const char *script, const char *config);

/* <folder>/data/<path>, in the arena. */
const char *host_bench_path(const char *path);
/* The content of that file, or of the file of that name in TRUEUP_DIR of shop-prod-web. */
const char *host_bench_read(const char *path);
const char *host_bench_own(const char *name);
/* What the workload wrote. */
const char *host_bench_logs(const char *name, int n);

/* Waits, by the driver's own events, until the workload is so; fails after 30 s. */
struct workload host_await(const char *name, bool (*is_so)(const struct workload *workload));
bool host_is_running(const struct workload *workload);
bool host_is_exited(const struct workload *workload);
bool host_is_healthy(const struct workload *workload);
bool host_is_unhealthy(const struct workload *workload);
/* Waits until the file in TRUEUP_DIR is there (inotify) and not empty, and gives its content. */
const char *host_await_file(const char *name);
/* Waits until the process is gone (pidfd). */
void host_await_death(int64_t pid);
/* Of the supervisor of a workload; 0: none. */
int64_t host_supervisor_pid(const char *name);

/* When argv asks for a supervisor, is one (with short times) and leaves. */
void host_test_supervise(int argc, char **argv);
#define HOST_TEST_MAIN(tests)                                                                      \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		host_test_supervise(argc, argv);                                                   \
		return cmocka_run_group_tests(tests, NULL, NULL);                                  \
	}

#endif
