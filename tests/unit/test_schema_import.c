#include "tests/support/test.h"
#include "tests/support/compose_case.h"

#include "schema/canon.h"
#include "schema/decode.h"
#include "schema/import.h"

/* Manifests that are made of Compose files say what those say. */

static const struct unit unit = {UNIT_ORGANIZATION, NULL, NULL};
static const struct oid no_blob;

struct imported {
	struct arena *arena;
	struct compose_case from;
	struct compose compose;
	struct compose_folder folder;
	struct diags diags;
	struct buf product, deployment;
	size_t containers;
};

static void import(struct imported *imported)
{
	struct import import = {.project = "p", .stage = "s", .node = "n"};
	struct compose_names names = {"wiki"};

	imported->folder =
		(struct compose_folder){"wiki", imported->from.files.v, imported->from.files.n};
	imported->product = (struct buf)BUF_INIT(BUF_MAX_TEXT);
	imported->deployment = (struct buf)BUF_INIT(BUF_MAX_TEXT);
	imported->arena = arena_new(0);
	compose_read(&imported->folder, "compose.yaml", &names, imported->arena, &unit,
		     &imported->compose, &imported->diags);
	import.folder = &imported->folder;
	import.compose = &imported->compose;
	import_product(&import, &imported->product, &imported->containers, &imported->diags);
	import_deployment(&import, &imported->deployment);
}

static void release(struct imported *imported)
{
	compose_case_release(&imported->from);
	diags_release(&imported->diags);
	buf_release(&imported->product);
	buf_release(&imported->deployment);
	arena_free(imported->arena);
}

static struct file *decode(const char *path, const struct buf *text)
{
	struct file *file = file_decode(path, &no_blob, buf_str(text), text->len);

	if (file->diags_n)
		fail_msg("%s in\n%s", file->diags[0].message, buf_str(text));
	assert_int_equal(file->documents_n, 1);
	return file;
}

/* Canonical, but for the names of volumes, which may have been other ones. */
static char *without_names(const struct container *config)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	json_t *object, *item;
	char *plain;
	size_t i;

	canon_container(config, CANON_ALL, &text);
	object = json_loadb(buf_str(&text), text.len, 0, NULL);
	json_array_foreach(json_object_get(object, "volumes"), i, item)
		json_object_del(item, "name");
	plain = json_dumps(object, JSON_SORT_KEYS);
	json_decref(object);
	return plain;
}

static void assert_same_image(const struct image *from, const struct image *to)
{
	AUTO_FREE char *before = without_names(from->config);
	AUTO_FREE char *after = without_names(to->config);

	assert_string_equal(before, after);
	assert_string_equal(from->image, to->image);
}

static void compare(void *arg UNUSED, const char *path)
{
	struct imported imported = {0};
	const struct product *product;
	struct file *file, *other;

	compose_case_read(path, &imported.from);
	import(&imported);
	file = decode("projects/p/products/a.yaml", &imported.product);
	other = decode("projects/p/stages/s/a.yaml", &imported.deployment);
	product = file->documents[0].value;
	assert_int_equal(product->images.n, imported.compose.images.n);
	assert_int_equal(imported.containers, product->images.n);
	for (size_t i = 0; i < product->images.n; i++)
		assert_same_image(&imported.compose.images.v[i], &product->images.v[i]);
	file_unref(file);
	file_unref(other);
	release(&imported);
}

static void they_say_what_compose_files_say(void **state UNUSED)
{
	assert_true(compose_case_each("good", compare, NULL) > 0);
}

/* ---- what is not the same ---- */

static void import_text(struct imported *imported, const char *text)
{
	struct compose_file file = {.name = "compose.yaml", .bytes = text, .size = strlen(text)};

	*imported = (struct imported){.from = {.text = BUF_INIT(BUF_MAX_TEXT)}};
	VEC_PUSH(&imported->from.files, file);
	import(imported);
}

static bool is_said(const struct imported *imported, unsigned line, const char *message)
{
	for (size_t i = 0; i < imported->diags.n; i++) {
		const struct diag *diag = &imported->diags.v[i];

		if (diag->at.line == line && strstr(diag->message, message))
			return true;
	}
	return false;
}

static void what_is_not_the_same_is_told(void **state UNUSED)
{
	struct imported imported;

	import_text(&imported, "name: My_Wiki\n"
			       "services:\n"
			       "  Web_1: {image: 'a:1', environment: {DB: 'pg://db/x', NO: dbs},\n"
			       "    command: [wait, 'db:5432']}\n"
			       "  db: {image: 'b:1'}\n"
			       "  gone: {build: .}\n");
	assert_true(is_said(&imported, 3, "the service Web_1 is called web-1 now"));
	assert_true(is_said(&imported, 3,
			    "env.DB of web-1 names db, which is reached as p-s-my-wiki-db now"));
	assert_true(is_said(&imported, 4, "args of web-1 names db"));
	assert_false(is_said(&imported, 3, "env.NO"));
	assert_int_equal(imported.containers, 2);
	assert_string_equal(buf_str(&imported.deployment),
			    "kind: Deployment\nname: my-wiki\nproduct: my-wiki\nnode: n\n"
			    "prefix: p-s-my-wiki\n");
	release(&imported);
}

static void names_that_become_one_stay_two(void **state UNUSED)
{
	struct imported imported;

	import_text(&imported, "services: {a_b: {image: 'a:1'}, a.b: {image: 'a:1'}}\n");
	assert_non_null(strstr(buf_str(&imported.product), "- name: a-b\n"));
	assert_non_null(strstr(buf_str(&imported.product), "- name: container-2\n"));
	file_unref(decode("projects/p/products/a.yaml", &imported.product));
	release(&imported);
}

static void volumes_keep_their_names_or_it_is_told(void **state UNUSED)
{
	struct imported imported;
	const char *text;

	import_text(&imported, "services:\n  web:\n    image: a:1\n"
			       "    volumes: ['db_data:/a', 'db.data:/b', 'plain:/c']\n"
			       "  other: {image: 'a:1', volumes: ['db_data:/x']}\n"
			       "volumes: {db_data: , db.data: , plain: }\n");
	text = buf_str(&imported.product);
	assert_non_null(strstr(text, "{name: db-data, path: /a, shared: true}"));
	assert_non_null(strstr(text, "{name: db-data-2, path: /b}"));
	assert_non_null(strstr(text, "{name: plain, path: /c}"));
	assert_non_null(strstr(text, "{name: db-data, path: /x, shared: true}"));
	assert_true(is_said(&imported, 4, "the volume db_data is called db-data now"));
	assert_true(is_said(&imported, 4, "the volume db.data is called db-data-2 now"));
	file_unref(decode("projects/p/products/a.yaml", &imported.product));
	release(&imported);
}

static void comments_stay_where_they_were(void **state UNUSED)
{
	struct imported imported;
	const char *text;

	import_text(&imported, "# of the file\n\nservices:\n  # first line\n     # second line\n"
			       "  web: {image: 'a:1'} # behind\n  # of the last\n  db:\n"
			       "    # inside\n    image: b:1\n");
	text = buf_str(&imported.product);
	assert_non_null(strstr(text, "images:\n  # first line\n  # second line\n  - name: web\n"));
	assert_non_null(strstr(text, "  # of the last\n  - name: db\n"));
	assert_null(strstr(text, "of the file"));
	release(&imported);
}

/* Every text comes back, whatever a reader could take it for. */
static void texts_come_back(void **state UNUSED)
{
	static const char text[] =
		"services:\n  web:\n    image: a:1\n    environment:\n      A: 'no'\n"
		"      B: '012'\n      C: '1e3'\n      D: '~'\n      E: ''\n      F: ' x '\n"
		"      G: 'a: b # c'\n      H: \"two\\nlines\\n\"\n      I: \"two\\nlines\"\n"
		"      J: \"\\n\\n\"\n      K: \"  indented\\nfirst\"\n"
		"      L: \"tab\\there\\r\"\n      M: \"last\\n\\n\\n\"\n      N: '{a}, [b]'\n"
		"      O: '- x'\n      P: '12:30'\n      Q: 'Stra\303\237e'\n      R: 'true'\n"
		"      S: \"\\nleading\"\n      T: '&a *b !c'\n      U: '0x1F'\n";
	struct imported imported;
	struct file *file;

	import_text(&imported, text);
	assert_int_equal(imported.diags.errors, 0);
	file = decode("projects/p/products/a.yaml", &imported.product);
	assert_same_image(&imported.compose.images.v[0],
			  &((const struct product *)file->documents[0].value)->images.v[0]);
	file_unref(file);
	release(&imported);
}

static void what_is_too_large_is_left_out(void **state UNUSED)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	struct imported imported = {.from = {.text = BUF_INIT(BUF_MAX_TEXT)}};
	static const char compose[] = "services:\n  web:\n    image: a:1\n    volumes: "
				      "['./large:/large', './small:/small']\n";

	for (int i = 0; i < 10000; i++)
		buf_adds(&text, "ten bytes\n");
	VEC_PUSH(&imported.from.files,
		 ((struct compose_file){"compose.yaml", compose, strlen(compose), false}));
	VEC_PUSH(&imported.from.files,
		 ((struct compose_file){"large", buf_str(&text), text.len, false}));
	VEC_PUSH(&imported.from.files, ((struct compose_file){"small", "x\n", 2, false}));
	import(&imported);
	assert_int_equal(imported.diags.errors, 0);
	assert_true(is_said(&imported, 4, "the file /large is left out"));
	assert_null(strstr(buf_str(&imported.product), "ten bytes"));
	assert_non_null(strstr(buf_str(&imported.product), "/small"));
	file_unref(decode("projects/p/products/a.yaml", &imported.product));
	release(&imported);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_say_what_compose_files_say),
		cmocka_unit_test(what_is_not_the_same_is_told),
		cmocka_unit_test(names_that_become_one_stay_two),
		cmocka_unit_test(volumes_keep_their_names_or_it_is_told),
		cmocka_unit_test(comments_stay_where_they_were),
		cmocka_unit_test(texts_come_back),
		cmocka_unit_test(what_is_too_large_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
