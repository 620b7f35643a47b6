/* That a control folder which is taken away is noticed, with and without the kernel's help. */
#include "tests/support/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/host_control.h"
#include "drivers/host_guard.h"

struct world {
	char *folder;
	struct loop *loop;
	int dir, gone; /* gone: how often it was said */
	struct host_guard guard;
};

static void note_gone(void *arg)
{
	struct world *world = arg;

	world->gone++;
	loop_stop(world->loop);
}

static void write_in(const struct world *world, const char *name)
{
	struct err err = ERR_INIT;

	assert_done(host_write_at(world->dir, name, "x", 1, &err), err);
}

static void begin(struct world *world, int flags)
{
	struct err err = ERR_INIT;

	*world = (struct world){.folder = test_folder(), .loop = loop_new(&err)};
	world->dir = open(world->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	write_in(world, HOST_LOCK_FILE);
	close(world->dir);
	world->dir = open(world->folder, flags | O_DIRECTORY | O_CLOEXEC);
	assert_done(host_guard_open(&world->guard, world->loop, world->dir, note_gone, world, &err),
		    err);
}

static void end(struct world *world)
{
	host_guard_release(&world->guard);
	loop_free(world->loop);
	close(world->dir);
	test_folder_remove(&world->folder);
}

static void the_kernel_tells(void **state)
{
	struct world world;
	struct err err = ERR_INIT;

	(void)state;
	begin(&world, O_RDONLY);
	assert_null(world.guard.timer);
	assert_int_equal(unlinkat(world.dir, HOST_LOCK_FILE, 0), 0);
	assert_done(loop_run(world.loop, &err), err);
	assert_int_equal(world.gone, 1);
	end(&world);
}

/* A descriptor that only stands for a place has no signals. */
static void a_timer_looks(void **state)
{
	struct world world;
	struct err err = ERR_INIT;

	(void)state;
	host_guard_look_ms = 10;
	begin(&world, O_PATH);
	assert_non_null(world.guard.timer);
	assert_done(loop_once(world.loop, -1, &err), err);
	assert_int_equal(world.gone, 0);
	assert_int_equal(unlinkat(world.dir, HOST_LOCK_FILE, 0), 0);
	assert_done(loop_run(world.loop, &err), err);
	assert_int_equal(world.gone, 1);
	assert_null(world.guard.timer);
	end(&world);
}

static void what_is_replaced_is_not_gone(void **state)
{
	struct world world;
	struct err err = ERR_INIT;

	(void)state;
	begin(&world, O_RDONLY);
	for (int i = 0; i < 3; i++) {
		write_in(&world, HOST_STATUS_FILE);
		write_in(&world, HOST_LOCK_FILE);
		assert_done(loop_once(world.loop, 0, &err), err);
	}
	assert_int_equal(world.gone, 0);
	assert_int_equal(unlinkat(world.dir, HOST_STATUS_FILE, 0), 0);
	assert_done(loop_once(world.loop, -1, &err), err);
	assert_int_equal(world.gone, 0);
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_tells),
		cmocka_unit_test(a_timer_looks),
		cmocka_unit_test(what_is_replaced_is_not_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
