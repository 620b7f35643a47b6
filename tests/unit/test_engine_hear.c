/*
 * What happens on a node asks for a look: at once, or after a moment while we change it ourselves.
 */
#include "tests/support/test.h"

#include "base/clock.h"
#include "engine/core.h"

static void test_a_node_at_rest(void **state)
{
	struct node_run node = {0};

	(void)state;
	node_hear(&node);
	assert_true(node.look_wanted);
	assert_int_equal(node.calm_until, 0);
}

static void test_a_node_that_is_changed(void **state)
{
	struct node_run node = {.acts = 1};
	int64_t first;

	(void)state;
	node_hear(&node);
	assert_true(node.look_wanted);
	first = node.calm_until;
	assert_true(first > clock_boot_ms());
	/* the next event does not put it off */
	node.calm_until = first - 1;
	node_hear(&node);
	assert_int_equal(node.calm_until, first - 1);
}

/* The end of a change, a push, a person: nobody of them waits for the node to be calm. */
static void test_whoever_asks_gets_it(void **state)
{
	struct node_run node = {.acts = 1};

	(void)state;
	node_hear(&node);
	node_want_look(&node);
	assert_int_equal(node.calm_until, 0);
	node_hear(&node);
	assert_int_equal(node.calm_until, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_node_at_rest),
		cmocka_unit_test(test_a_node_that_is_changed),
		cmocka_unit_test(test_whoever_asks_gets_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
