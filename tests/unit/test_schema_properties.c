#include "tests/support/test.h"
#include "tests/support/any_value.h"

#include "base/json.h"
#include "base/vec.h"
#include "schema/bundles.h"
#include "schema/canon.h"
#include "schema/check.h"
#include "schema/decode.h"
#include "schema/merge.h"

/*
 * What holds for every configuration, shown on thousands of random ones.
 */

#define ROUNDS 3000

/* ---- configurations ---- */

static const struct container *random_config(uint64_t *seed, struct arena *arena, bool nulls)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	struct err err = ERR_INIT;
	const struct container *config;

	any_object(seed, &type_container, nulls, &text);
	config = decode_object(arena, "container", buf_str(&text), text.len, &err);
	if (!config)
		fail_msg("%s in %s", err.text, buf_str(&text));
	return config;
}

static char *canonical(const struct container *config, enum canon_part part)
{
	struct buf text = BUF_INIT(BUF_MAX_TEXT);

	canon_container(config, part, &text);
	return buf_take(&text);
}

static void assert_same(const struct container *a, const struct container *b, enum canon_part part)
{
	AUTO_FREE char *left = canonical(a, part);
	AUTO_FREE char *right = canonical(b, part);

	assert_string_equal(left, right);
}

static const struct container *merge_two(struct arena *arena, const struct container *weak,
					 const struct container *strong)
{
	const struct container *layers[] = {weak, strong};

	return merge_containers(arena, layers, 2);
}

/* Runs a property on many random configurations. */
static void for_all(void (*property)(uint64_t *seed, struct arena *arena))
{
	uint64_t seed = 88172645463325252u;
	AUTO_ARENA struct arena *arena = arena_new(0);

	for (int round = 0; round < ROUNDS; round++) {
		property(&seed, arena);
		arena_clear(arena);
	}
}

static void comes_back(uint64_t *seed, struct arena *arena)
{
	const struct container *config = random_config(seed, arena, true);
	AUTO_FREE char *text = canonical(config, CANON_ALL);
	struct err err = ERR_INIT;
	const struct container *back = decode_object(arena, "container", text, strlen(text), &err);

	if (!back)
		fail_msg("%s in %s", err.text, text);
	assert_same(config, back, CANON_ALL);
	assert_int_equal(canon_diff(arena, config, back, CANON_ALL).n, 0);
}

static void test_canonical_form_comes_back(void **state)
{
	(void)state;
	for_all(comes_back);
}

static void empty_says_nothing(uint64_t *seed, struct arena *arena)
{
	const struct container *config = merge_two(arena, NULL, random_config(seed, arena, true));
	const struct container *nothing = ARENA_NEW(arena, struct container);

	assert_same(config, merge_two(arena, config, nothing), CANON_ALL);
	assert_same(config, merge_two(arena, nothing, config), CANON_ALL);
	assert_same(config, merge_two(arena, config, NULL), CANON_ALL);
	assert_same(config, merge_two(arena, config, config), CANON_ALL);
}

static void test_an_empty_layer_changes_nothing(void **state)
{
	(void)state;
	for_all(empty_says_nothing);
}

static void is_associative(uint64_t *seed, struct arena *arena)
{
	const struct container *a = random_config(seed, arena, true);
	const struct container *b = random_config(seed, arena, true);
	const struct container *c = random_config(seed, arena, true);
	const struct container *layers[] = {a, b, c};
	const struct container *all = merge_containers(arena, layers, 3);

	assert_same(all, merge_containers(arena, layers, 3), CANON_ALL);
	assert_same(all, merge_two(arena, merge_two(arena, a, b), c), CANON_ALL);
}

static void test_merging_is_deterministic(void **state)
{
	(void)state;
	for_all(is_associative);
}

/* What the strong layer says is what holds, and null leaves nothing behind. */
static void strong_wins(uint64_t *seed, struct arena *arena)
{
	const struct container *weak = random_config(seed, arena, false);
	const struct container *strong = random_config(seed, arena, true);
	const struct container *merged = merge_two(arena, weak, strong);

	assert_int_equal(merged->head.null, 0);
	assert_int_equal(merged->head.set & strong->head.set, strong->head.set);
	assert_int_equal(merged->head.set & strong->head.null, 0);
	assert_int_equal(merged->head.set,
			 (weak->head.set & ~strong->head.null) | strong->head.set);
	if (IS_SET(strong, container, scale))
		assert_int_equal(merged->scale, strong->scale);
	for (size_t i = 0; i < merged->env.n; i++) {
		assert_non_null(merged->env.value[i]);
		assert_true(i == 0 || strcmp(merged->env.key[i - 1], merged->env.key[i]) < 0);
	}
	assert_true(!merged->health_check || !merged->health_check->http ||
		    !merged->health_check->tcp);
}

static void test_the_strong_layer_wins(void **state)
{
	(void)state;
	for_all(strong_wins);
}

/* ---- image, bundle, deployment and instance ---- */

#define LAYERS 4

/* Of one field only what the configuration says of it. */
static const struct container *only_field(struct arena *arena, const struct container *config,
					  size_t field)
{
	const struct field_type_row *row = &type_container.fields[field];
	struct container *alone = ARENA_NEW(arena, struct container);
	uint64_t bit = UINT64_C(1) << field;

	alone->head.set = config->head.set & bit;
	alone->head.null = config->head.null & bit;
	memcpy(field_slot(alone, row), field_const_slot(config, row), field_size(row->type));
	return alone;
}

/* The topmost layer with a null for the field; what lies below it does not count. */
static size_t last_null(const struct container *const *layers, size_t field)
{
	size_t i = LAYERS - 1;

	while (i && !((layers[i]->head.null >> field) & 1))
		i--;
	return i;
}

/* By the sentence in the reference: the strongest layer that has the key, null takes away. */
static const char *strongest_value(const struct container *const *layers, const char *key)
{
	for (size_t i = LAYERS; i-- > 0;) {
		const struct pairs *env = &layers[i]->env;

		for (size_t j = 0; j < env->n; j++) {
			if (str_eq(env->key[j], key))
				return env->value[j];
		}
		if ((layers[i]->head.null >> container_env_F) & 1)
			return NULL;
	}
	return NULL;
}

static const char *value_of(const struct pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++) {
		if (str_eq(pairs->key[i], key))
			return pairs->value[i];
	}
	return NULL;
}

static void assert_nulls_took_away(struct arena *arena, const struct container *const *layers,
				   const struct container *all)
{
	for (size_t field = 0; field < type_container.fields_n; field++) {
		size_t from = last_null(layers, field);

		assert_same(only_field(arena, all, field),
			    only_field(arena, merge_containers(arena, layers + from, LAYERS - from),
				       field),
			    CANON_ALL);
	}
	for (size_t i = 0; i < LAYERS; i++) {
		for (size_t j = 0; j < layers[i]->env.n; j++)
			assert_true(str_eq(value_of(&all->env, layers[i]->env.key[j]),
					   strongest_value(layers, layers[i]->env.key[j])));
	}
}

/* Between any two layers, under all of them and over them. */
static void assert_empty_one_is_nothing(struct arena *arena, const struct container *const *layers,
					const struct container *all)
{
	const struct container *more[LAYERS + 1];

	for (size_t at = 0; at <= LAYERS; at++) {
		memcpy(more, layers, at * sizeof *more);
		more[at] = at % 2 ? NULL : ARENA_NEW(arena, struct container);
		memcpy(more + at + 1, layers + at, (LAYERS - at) * sizeof *more);
		assert_same(merge_containers(arena, more, LAYERS + 1), all, CANON_ALL);
	}
}

static void four_layers_hold(uint64_t *seed, struct arena *arena)
{
	const struct container *layers[LAYERS], *all, *folded = NULL;

	for (size_t i = 0; i < LAYERS; i++)
		layers[i] = random_config(seed, arena, true);
	all = merge_containers(arena, layers, LAYERS);
	for (size_t i = 0; i < LAYERS; i++)
		folded = merge_two(arena, folded, layers[i]);
	assert_same(all, folded, CANON_ALL);
	assert_int_equal(all->head.null, 0);
	assert_nulls_took_away(arena, layers, all);
	assert_empty_one_is_nothing(arena, layers, all);
}

static void test_four_layers(void **state)
{
	(void)state;
	for_all(four_layers_hold);
}

static void operations_are_live(uint64_t *seed, struct arena *arena)
{
	const struct container *recorded =
		merge_two(arena, NULL, random_config(seed, arena, false));
	const struct container *now = merge_two(arena, NULL, random_config(seed, arena, false));
	const struct container *live = merge_operations(arena, recorded, now);

	assert_same(live, recorded, CANON_RELEASE);
	assert_same(live, now, CANON_OPERATIONS);
}

static void test_operations_are_those_of_now(void **state)
{
	(void)state;
	for_all(operations_are_live);
}

static void differ_alike(uint64_t *seed, struct arena *arena)
{
	static const enum canon_part parts[] = {CANON_RELEASE, CANON_OPERATIONS, CANON_ALL};
	const struct container *a = random_config(seed, arena, true);
	const struct container *b = any_below(seed, 4) ? random_config(seed, arena, true) : a;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		AUTO_FREE char *left = canonical(a, parts[i]);
		AUTO_FREE char *right = canonical(b, parts[i]);
		struct field_diffs there = canon_diff(arena, a, b, parts[i]);
		struct field_diffs back = canon_diff(arena, b, a, parts[i]);

		assert_true((there.n == 0) == str_eq(left, right));
		assert_int_equal(there.n, back.n);
		for (size_t j = 0; j < there.n; j++) {
			assert_false(str_eq(there.v[j].from, there.v[j].to));
			assert_true(str_eq(there.v[j].from, back.v[j].to));
		}
	}
}

static void test_differences_are_those_of_the_canonical_form(void **state)
{
	(void)state;
	for_all(differ_alike);
}

/* ---- bundles ---- */

static const struct container *merge_order(struct arena *arena, const struct container *image,
					   const struct container *first,
					   const struct container *second,
					   const struct container *deployment,
					   const struct container *instance)
{
	const struct container *layers[] = {image, first, second, deployment, instance};

	return merge_containers(arena, layers, ARRAY_LEN(layers));
}

static size_t bundle_pairs, clashing_pairs;

/* Which of two bundles comes first makes no difference, or they clash. */
static void assert_commute_or_clash(struct arena *arena, const struct container *image,
				    const struct container *a, const struct container *b,
				    const struct container *const over[2])
{
	struct bundle_clashes there = bundles_compare(arena, a, b, over, 2);
	struct bundle_clashes back = bundles_compare(arena, b, a, over, 2);

	assert_int_equal(there.n, back.n);
	assert_int_equal(bundles_compare(arena, a, a, over, 2).n, 0);
	bundle_pairs++;
	clashing_pairs += there.n > 0;
	if (there.n == 0)
		assert_same(merge_order(arena, image, a, b, over[0], over[1]),
			    merge_order(arena, image, b, a, over[0], over[1]), CANON_ALL);
}

static void whole_bundles_commute(uint64_t *seed, struct arena *arena)
{
	const struct container *image = random_config(seed, arena, false);
	const struct container *a = random_config(seed, arena, true);
	const struct container *b = random_config(seed, arena, true);
	const struct container *over[] = {
		any_below(seed, 2) ? random_config(seed, arena, true) : NULL,
		any_below(seed, 4) ? NULL : random_config(seed, arena, true),
	};

	assert_commute_or_clash(arena, image, a, b, over);
}

/* A configuration that says something of one field, if it comes up soon, and of no other. */
static const struct container *random_field(uint64_t *seed, struct arena *arena, size_t field)
{
	const struct container *alone = ARENA_NEW(arena, struct container);

	for (int tries = 0; tries < 8 && !(alone->head.set | alone->head.null); tries++)
		alone = only_field(arena, random_config(seed, arena, true), field);
	return alone;
}

/* Large ones clash somewhere most of the time: one field alone shows its own rules. */
static void single_fields_commute(uint64_t *seed, struct arena *arena)
{
	/* Of those with choices of their own there is one. */
	size_t field = any_below(seed, 3) ? any_below(seed, type_container.fields_n)
					  : container_health_check_F;
	const struct container *image = random_config(seed, arena, false), *over[2] = {0};
	const struct container *a, *b;

	if (type_container.fields[field].flags & LATER)
		return;
	a = random_field(seed, arena, field);
	b = random_field(seed, arena, field);
	for (size_t i = 0; i < 2; i++)
		over[i] = any_below(seed, 2) ? random_field(seed, arena, field) : NULL;
	assert_commute_or_clash(arena, image, a, b, over);
}

static void test_bundles_commute_or_clash(void **state)
{
	(void)state;
	bundle_pairs = clashing_pairs = 0;
	for_all(whole_bundles_commute);
	for_all(single_fields_commute);
	/* both are seen often */
	assert_true(clashing_pairs > bundle_pairs / 20);
	assert_true(bundle_pairs - clashing_pairs > bundle_pairs / 20);
}

/* ---- whole configurations ---- */

struct text_file {
	const char *path, *text;
};

static const struct text_file tree[] = {
	{"organization.yaml", "kind: Organization\nname: acme\n"},
	{"teams/a.yaml", "kind: Team\nname: web\nmembers: {ann: owner, zoe: user}\n"},
	{"users/a.yaml", "kind: User\nname: ann\n---\nkind: User\nname: ann\n"},
	{"nodes/a.yaml", "kind: Node\nname: n\ndriver: memory\nteam: ops\n"},
	{"nodes/b.yaml", "kind: Node\nname: n\ndriver: memory\n"},
	{"projects/p/project.yaml", "kind: Project\nname: p\nteam: web\n"},
	{"projects/p/products/a.yaml",
	 "kind: Product\nname: x\ntype: complex\n---\nkind: Version\nproduct: x\nname: 1\ntype: "
	 "incremental\nimages: [{name: c, image: local/x:1, config: {env: {A: 1}}}]\n"},
	{"projects/p/products/b.yaml",
	 "kind: Version\nproduct: x\nname: 2\ntype: incremental\nparent: 1\n"
	 "images: [{name: c, image: local/x:2}]\n"},
	{"projects/p/products/c.yaml",
	 "kind: Version\nproduct: x\nname: 3\ntype: incremental\nparent: 1\n"
	 "images: [{name: c, image: local/x:3}]\n"},
	{"projects/p/stages/s/stage.yaml", "kind: Stage\nname: s\nnodes: [n, m]\n"},
	{"projects/p/stages/s/a.yaml",
	 "kind: Deployment\nname: a\nproduct: x\nversion: 2\nnode: n\ndependsOn: [b]\n"
	 "config:\n  env: {A: \"{{ stage }}\", B: 2}\n  healthCheck: {tcp: {port: 80}}\n"},
	{"projects/p/stages/s/b.yaml",
	 "kind: Deployment\nname: b\nproduct: x\nversion: 4\nnode: m\ndependsOn: [a]\n"},
	{"projects/p/stages/t/a.yaml",
	 "kind: Deployment\nname: a\nproduct: y\nnodeSelector: {a: b}\n"},
};

/* All that is said about these files, as text. */
static char *judgement(struct file *const *files, size_t n)
{
	AUTO_DIAGS struct diags diags = {0};
	AUTO_JSON json_t *json = NULL;
	struct buf out = BUF_INIT(BUF_MAX_TEXT);
	struct model *model;

	for (size_t i = 0; i < n; i++)
		diags_append(&diags, files[i]->diags, files[i]->diags_n);
	model = model_build(files, n, &diags);
	check_model(model, NULL, &diags);
	diags_sort(&diags);
	json = diags_json(diags.v, diags.n);
	json_write(json, &out);
	buf_addf(&out, " %zu %zu", model->deployments.n, model->versions.n);
	for (size_t i = 0; i < model->deployments.n; i++)
		buf_addf(&out, " %s", model->deployments.v[i]->from.file->path);
	model_free(model);
	return buf_take(&out);
}

static struct file *decode(const char *path, const char *text, size_t len)
{
	static const struct oid blob;

	return file_decode(path, &blob, text, len);
}

static void test_the_order_of_files_does_not_matter(void **state)
{
	struct file *files[ARRAY_LEN(tree)];
	AUTO_FREE char *wanted = NULL;
	uint64_t seed = 2463534242u;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tree); i++)
		files[i] = decode(tree[i].path, tree[i].text, strlen(tree[i].text));
	wanted = judgement(files, ARRAY_LEN(files));
	assert_non_null(strstr(wanted, "dependency-cycle"));
	for (int round = 0; round < 200; round++) {
		AUTO_FREE char *found = NULL;

		for (size_t i = ARRAY_LEN(files) - 1; i > 0; i--) {
			size_t j = any_below(&seed, i + 1);
			struct file *file = files[i];

			files[i] = files[j];
			files[j] = file;
		}
		found = judgement(files, ARRAY_LEN(files));
		assert_string_equal(found, wanted);
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		file_unref(files[i]);
}

/* A few bytes changed, dropped or doubled. */
static void spoil(uint64_t *seed, struct buf *text)
{
	static const char odd[] = "{}[]:,&*!|>'\"%@`#-? \n\t\x00\xff\xc3nullab0";

	for (size_t n = 1 + any_below(seed, 4); n; n--) {
		size_t at = any_below(seed, text->len);

		switch (any_below(seed, 3)) {
		case 0:
			text->ptr[at] = odd[any_below(seed, sizeof odd)];
			break;
		case 1:
			memmove(text->ptr + at, text->ptr + at + 1, text->len - at);
			if (--text->len == 0)
				buf_addc(text, 'x');
			break;
		default:
			buf_addc(text, ' ');
			memmove(text->ptr + at + 1, text->ptr + at, text->len - at - 1);
			break;
		}
	}
}

static void assert_sound(const struct file *file)
{
	for (size_t i = 0; i < file->diags_n; i++) {
		const struct diag *diag = &file->diags[i];

		assert_non_null(diag->message);
		assert_true(diag->message[0] && !strchr(diag->message, '\n'));
		assert_string_equal(diag->path, file->path);
		assert_true(i == 0 || diag[-1].at.line < diag->at.line ||
			    (diag[-1].at.line == diag->at.line &&
			     diag[-1].at.column <= diag->at.column));
	}
}

/* However a text is spoilt: it is judged the same way twice, and soundly. */
static void test_random_edits(void **state)
{
	uint64_t seed = 88675123u;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		const struct text_file *from = &tree[any_below(&seed, ARRAY_LEN(tree))];
		AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
		struct file *files[2];
		AUTO_FREE char *first = NULL, *second = NULL;

		buf_adds(&text, from->text);
		spoil(&seed, &text);
		for (size_t i = 0; i < 2; i++)
			files[i] = decode(from->path, text.ptr, text.len);
		assert_sound(files[0]);
		first = judgement(&files[0], 1);
		second = judgement(&files[1], 1);
		assert_string_equal(first, second);
		file_unref(files[0]);
		file_unref(files[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical_form_comes_back),
		cmocka_unit_test(test_an_empty_layer_changes_nothing),
		cmocka_unit_test(test_merging_is_deterministic),
		cmocka_unit_test(test_the_strong_layer_wins),
		cmocka_unit_test(test_four_layers),
		cmocka_unit_test(test_operations_are_those_of_now),
		cmocka_unit_test(test_differences_are_those_of_the_canonical_form),
		cmocka_unit_test(test_bundles_commute_or_clash),
		cmocka_unit_test(test_the_order_of_files_does_not_matter),
		cmocka_unit_test(test_random_edits),
	};

	return cmocka_run_group_tests_name("schema properties", tests, NULL, NULL);
}
