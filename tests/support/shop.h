/*
 * shop.h - the small configuration that tests of desired state start from
 * (tests/data/desired/shop.files): project shop with the complex product web (1.0 - 1.1, and the
 * rolling edge), the simple product mq, the stages prod and test, and nodes n1, n2 (memory) and h1
 * (host). Deployment web puts 1.0 on n1 in prod.
 */
#ifndef TRUEUP_TESTS_SHOP_H
#define TRUEUP_TESTS_SHOP_H

#include "plan/desired.h"
#include "tests/support/config_tree.h"

#define PROD "projects/shop/stages/prod/"
#define TEST "projects/shop/stages/test/"
#define WEB_1_0 "projects/shop/products/web-1.0.yaml"
#define WEB_1_1 "projects/shop/products/web-1.1.yaml"
#define WEB_EDGE "projects/shop/products/web-edge.yaml"
#define MQ "projects/shop/products/mq.yaml"

struct shop {
	struct config_tree tree;
	struct diags diags;
	struct model *model, *model_before;
	struct desired *desired, *desired_before;
};
/* For cmocka_unit_test_setup_teardown: *state is a struct shop. */
int shop_make(void **state);
int shop_free(void **state);
#define TEST_WITH_SHOP(name) cmocka_unit_test_setup_teardown(name, shop_make, shop_free)

/* Model and desired state of the tree as it stands; what is wrong is in diags. */
void shop_build(struct shop *shop, const struct history *history);
/* The same on top of the state before, as a pass does when a commit was accepted. */
void shop_build_on(struct shop *shop, const struct history *history);
/* The errors so far must be these: lines "path:line code project/stage". */
void shop_assert_errors(struct shop *shop, const char *wanted);
/* A slot of the stage prod; the test fails when there is none. */
const struct slot *shop_slot(struct shop *shop, const char *deployment, const char *node);

#endif
