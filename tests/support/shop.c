#include "tests/support/test.h"
#include "tests/support/shop.h"

int shop_make(void **state)
{
	struct shop *shop = mem_zalloc(1, sizeof *shop);

	config_put_file(&shop->tree, "tests/data/desired/shop.files");
	*state = shop;
	return 0;
}

static void drop_before(struct shop *shop)
{
	desired_free(shop->desired_before);
	model_free(shop->model_before);
	shop->desired_before = NULL;
	shop->model_before = NULL;
}

int shop_free(void **state)
{
	struct shop *shop = *state;

	desired_free(shop->desired);
	model_free(shop->model);
	drop_before(shop);
	config_release(&shop->tree);
	diags_release(&shop->diags);
	free(shop);
	return 0;
}

void shop_build_on(struct shop *shop, const struct history *history)
{
	drop_before(shop);
	shop->desired_before = shop->desired;
	shop->model_before = shop->model;
	diags_clear(&shop->diags);
	shop->model = config_model(&shop->tree, &shop->diags);
	shop->desired = desired_build(shop->model, history, shop->desired_before, &shop->diags);
}

void shop_build(struct shop *shop, const struct history *history)
{
	desired_free(shop->desired);
	model_free(shop->model);
	shop->desired = NULL;
	shop->model = NULL;
	shop_build_on(shop, history);
}

void shop_assert_errors(struct shop *shop, const char *wanted)
{
	AUTO_FREE char *errors = config_errors(&shop->diags);

	assert_string_equal(errors, wanted);
}

const struct slot *shop_slot(struct shop *shop, const char *deployment, const char *node)
{
	struct slot_key key = {"shop", "prod", deployment, node};
	const struct slot *slot = desired_find(shop->desired, &key);

	if (!slot)
		fail_msg("no slot %s on %s", deployment, node);
	return slot;
}
