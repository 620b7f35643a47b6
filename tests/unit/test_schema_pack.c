#include "tests/support/test.h"
#include "tests/support/any_value.h"

#include "schema/decode.h"
#include "schema/pack.h"

/* What a child hands over is what it decoded, or is not taken. */

static const struct oid blob = {{1, 2, 3}};

static struct file *decode(const char *path, const char *text)
{
	return file_decode(path, &blob, text, strlen(text));
}

static struct file *unpack(const char *path, const struct buf *packed)
{
	return file_unpack(path, &blob, buf_str(packed), packed->len);
}

/* ---- the same file ------------------------------------------------------------------------- */

static void assert_same_object(const struct object_type *type, const void *left, const void *right);

static void assert_same_places(const struct loc *left, const struct loc *right, size_t n)
{
	assert_int_equal(left == NULL, right == NULL);
	assert_memory_equal(left, right, n * sizeof *left);
}

static void assert_same_text(const char *left, const char *right)
{
	assert_int_equal(left == NULL, right == NULL);
	if (left)
		assert_string_equal(left, right);
}

static void assert_same_strings(const struct strings *left, const struct strings *right)
{
	assert_int_equal(left->n, right->n);
	assert_same_places(left->at, right->at, left->n);
	for (size_t i = 0; i < left->n; i++)
		assert_string_equal(left->v[i], right->v[i]);
}

static void assert_same_pairs(const struct pairs *left, const struct pairs *right)
{
	assert_int_equal(left->n, right->n);
	assert_same_places(left->at, right->at, left->n);
	assert_null(right->paths);
	for (size_t i = 0; i < left->n; i++) {
		assert_string_equal(left->key[i], right->key[i]);
		assert_same_text(left->value[i], right->value[i]);
	}
}

static void assert_same_items(const struct object_type *type, const char *left, const char *right,
			      size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_same_object(type, left + i * type->size, right + i * type->size);
}

static void assert_same_list(const struct object_type *type, const void *left, const void *right)
{
	struct any_list a, b;

	memcpy(&a, left, sizeof a);
	memcpy(&b, right, sizeof b);
	assert_int_equal(a.n, b.n);
	assert_same_items(type, a.v, b.v, a.n);
}

static void assert_same_map(const struct object_type *type, const void *left, const void *right)
{
	struct any_map a, b;

	memcpy(&a, left, sizeof a);
	memcpy(&b, right, sizeof b);
	assert_int_equal(a.n, b.n);
	assert_same_places(a.at, b.at, a.n);
	for (size_t i = 0; i < a.n; i++)
		assert_string_equal(a.name[i], b.name[i]);
	assert_same_items(type, a.v, b.v, a.n);
}

static void assert_same_value(const struct field_type_row *row, const void *left, const void *right)
{
	switch (row->type) {
	case TYPE_STRING:
	case TYPE_NAME:
		assert_same_text(*(const char *const *)left, *(const char *const *)right);
		return;
	case TYPE_STRINGS:
		assert_same_strings(left, right);
		return;
	case TYPE_MAP:
		assert_same_pairs(left, right);
		return;
	case TYPE_OBJECT:
		assert_same_object(row->object, *(const void *const *)left,
				   *(const void *const *)right);
		return;
	case TYPE_LIST:
		assert_same_list(row->object, left, right);
		return;
	case TYPE_OBJMAP:
		assert_same_map(row->object, left, right);
		return;
	default:
		assert_memory_equal(left, right, field_size(row->type));
	}
}

static void assert_same_object(const struct object_type *type, const void *left, const void *right)
{
	const struct head *a = left, *b = right;

	assert_int_equal(a->set, b->set);
	assert_int_equal(a->null, b->null);
	assert_int_equal(a->bad, b->bad);
	assert_int_equal(b->set & b->null, 0);
	assert_string_equal(a->path, b->path);
	assert_null(b->paths);
	assert_int_equal(a->placed, b->placed);
	assert_same_places(a->at, b->at, (size_t)__builtin_popcountll(a->placed));
	for (size_t i = 0; i < type->fields_n; i++) {
		const struct field_type_row *row = &type->fields[i];

		if (a->set >> i & 1)
			assert_same_value(row, field_const_slot(left, row),
					  field_const_slot(right, row));
	}
}

static void assert_same_file(const struct file *left, const struct file *right)
{
	assert_string_equal(left->path, right->path);
	assert_true(oid_eq(&left->blob, &right->blob));
	assert_int_equal(unit_cmp(&left->unit, &right->unit), 0);
	assert_int_equal(left->unit.level, right->unit.level);
	assert_int_equal(right->diags_n, 0);
	assert_int_equal(left->documents_n, right->documents_n);
	for (size_t i = 0; i < left->documents_n; i++) {
		const struct document *a = &left->documents[i], *b = &right->documents[i];

		assert_int_equal(a->kind, b->kind);
		assert_ptr_equal(document_origin(b)->file, right);
		assert_memory_equal(&document_origin(a)->at, &document_origin(b)->at,
				    sizeof(struct loc));
		assert_same_object(kind_type(a->kind), a->value, b->value);
	}
}

/* ---- there and back ------------------------------------------------------------------------ */

/* False when the file has problems, and so is not packed. */
static bool comes_back(const char *path, const char *text)
{
	struct file *file = decode(path, text), *back;
	AUTO_BUF struct buf packed = BUF_INIT(PACK_BYTES_MAX);
	bool fine = file->diags_n == 0;

	assert_int_equal(file_pack(file, &packed), fine);
	if (fine) {
		back = unpack(path, &packed);
		assert_non_null(back);
		assert_same_file(file, back);
		file_unref(back);
	} else {
		assert_int_equal(packed.len, 0);
	}
	file_unref(file);
	return fine;
}

/* A folder for documents of the kind, where those may stand that are named by theirs. */
static const char *folder_of(const struct object_type *type)
{
	if (type->scope == SCOPE_ORGANIZATION)
		return "nodes";
	return type->scope == SCOPE_STAGE ? "projects/web-1/stages/x0" : "projects/web-1";
}

static void every_kind_comes_back(void **state)
{
	uint64_t seed = 88172645463325252u;

	(void)state;
	for (size_t kind = 0; kind < KINDS; kind++) {
		const struct object_type *type = kind_type((enum kind)kind);
		AUTO_FREE char *path = mem_printf("%s/any.yaml", folder_of(type));
		size_t came_back = 0;

		if (type->flags & LATER || type->scope == SCOPE_SETTINGS)
			continue;
		for (int round = 0; round < 2000; round++) {
			AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);

			any_object(&seed, type, true, &text);
			text.ptr[0] = ',';
			AUTO_FREE char *document =
				mem_printf("{\"kind\":\"%s\"%s", type->title, text.ptr);
			came_back += comes_back(path, document);
		}
		if (came_back < 50)
			fail_msg("only %zu documents of the kind %s are fine", came_back,
				 type->title);
	}
}

#define PRODUCT                                                                                    \
	"kind: Product\nname: x\ntype: complex\n---\n"                                             \
	"kind: Version\nproduct: x\nname: '1'\ntype: incremental\nimages:\n"                       \
	"  - name: web\n    image: local/web:1.0\n    config:\n"                                   \
	"      env: {ONE: '1', TWO: null}\n      command: [./run, \"{{ stage }}\", '']\n"          \
	"      ports: ['8080:80/udp', {container: 443}]\n      stopTimeout: 5s\n"                  \
	"      volumes: [{name: db, path: data}]\n      healthCheck: {http: {port: 80}}\n"
#define PRODUCT_PATH "projects/p/products/x.yaml"

static void what_people_write_comes_back(void **state)
{
	(void)state;
	assert_true(comes_back(PRODUCT_PATH, PRODUCT));
	assert_true(comes_back("organization.yaml", ""));
	assert_true(
		comes_back("organization.yaml", "\xef\xbb\xbfkind: Organization\r\nname: a\r\n"));
	assert_false(comes_back("organization.yaml", "kind: Organization\n"));
	assert_false(comes_back("projects/P/project.yaml", "kind: Project\nname: P\n"));
}

static void assert_not_packed(const struct buf *text)
{
	AUTO_BUF struct buf packed = BUF_INIT(BUF_MAX_TEXT);
	struct file *file = decode(PRODUCT_PATH, buf_str(text));

	if (file->diags_n)
		fail_msg("%s", file->diags[0].message);
	buf_adds(&packed, "before");
	assert_false(file_pack(file, &packed));
	assert_string_equal(buf_str(&packed), "before");
	file_unref(file);
}

/* 60,000 bytes that a list names again and again. */
static void many_bytes_are_not_packed(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);

	(void)state;
	buf_adds(&text, "kind: Version\nproduct: x\nname: '1'\ntype: rolling\nimages:\n"
			"  - name: web\n    image: local/web:1\n    config:\n      args:\n"
			"        - &long ");
	for (int i = 0; i < 60000; i++)
		buf_addc(&text, 'x');
	for (int i = 0; i < 30; i++)
		buf_adds(&text, "\n        - *long");
	assert_not_packed(&text);
}

/* A few bytes each that take a lot of memory. */
static void many_structs_are_not_packed(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);

	(void)state;
	for (int version = 0; version < 200; version++) {
		buf_addf(&text,
			 "---\nkind: Version\nproduct: x\nname: '%d'\ntype: rolling\nimages:\n",
			 version);
		for (int i = 0; i < 10; i++) {
			buf_addf(&text, "- {name: a%d, image: 'local/a:1', config: {ports: [", i);
			for (int port = 1; port <= 60; port++)
				buf_addf(&text, "'%d',", port);
			buf_adds(&text, "]}}\n");
		}
	}
	assert_not_packed(&text);
}

/* ---- what is not taken --------------------------------------------------------------------- */

static void pack(const char *path, const char *text, struct buf *packed)
{
	struct file *file = decode(path, text);

	assert_true(file_pack(file, packed));
	file_unref(file);
}

static void assert_not_taken(const char *path, const struct buf *packed)
{
	assert_null(unpack(path, packed));
}

/* Every prefix, and every byte turned into every other: what is taken is a file like any. */
static void torn_bytes_are_not_taken(void **state)
{
	AUTO_BUF struct buf packed = BUF_INIT(PACK_BYTES_MAX), again = BUF_INIT(PACK_BYTES_MAX);
	size_t taken = 0, len;

	(void)state;
	pack(PRODUCT_PATH, PRODUCT, &packed);
	len = packed.len;
	for (packed.len = 0; packed.len < len; packed.len++)
		assert_not_taken(PRODUCT_PATH, &packed);
	for (size_t i = 0; i < len; i++) {
		for (int change = 1; change < 256; change++) {
			packed.ptr[i] = (char)(packed.ptr[i] ^ change);
			struct file *file = unpack(PRODUCT_PATH, &packed);

			packed.ptr[i] = (char)(packed.ptr[i] ^ change);
			if (!file)
				continue;
			taken++;
			buf_clear(&again);
			assert_true(file_pack(file, &again));
			struct file *back = unpack(PRODUCT_PATH, &again);

			assert_non_null(back);
			assert_same_file(file, back);
			file_unref(back);
			file_unref(file);
		}
	}
	assert_true(taken > 0);
	buf_addc(&packed, '\0');
	assert_not_taken(PRODUCT_PATH, &packed);
}

/* A reader that a file has turned says what decoding would never say. */
static void forged_values_are_not_taken(void **state)
{
	static const struct {
		const char *from, *to; /* of the same length */
	} forged[] = {
		{"web", "../"},			    /* no name */
		{"web", "w\0b"},		    /* no text */
		{"./run", ".\xff-un"},		    /* no UTF-8 */
		{"local/web:1.0", "local/../../1"}, /* no image */
		{"local/web:1.0", "local/WEB:1.0"}, /* no path of an image */
		{"{{ stage }}", "{{ stagX }}"},	    /* no template */
		{"TWO", "A=B"},			    /* no name of a variable */
		{"TWO", "ONE"},			    /* twice */
		{"TWO", "AAA"},			    /* not in order */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forged); i++) {
		AUTO_BUF struct buf packed = BUF_INIT(PACK_BYTES_MAX);
		size_t len = strlen(forged[i].from);
		char *found;

		pack(PRODUCT_PATH, PRODUCT, &packed);
		found = memmem(packed.ptr, packed.len, forged[i].from, len);
		assert_non_null(found);
		memcpy(found, forged[i].to, len);
		if (unpack(PRODUCT_PATH, &packed))
			fail_msg("%s is taken for %s", forged[i].to, forged[i].from);
	}
}

/* The fields that a document must have: here the last one, a place and a word, is left out. */
static void what_is_missing_is_missed(void **state)
{
	AUTO_BUF struct buf packed = BUF_INIT(PACK_BYTES_MAX);
	const size_t number_kind_place = 1 + 1 + 3;
	char *next;

	(void)state;
	pack("nodes/a.yaml", "kind: Node\nname: a\ndriver: memory\n", &packed);
	for (next = packed.ptr; *next & 0x80; next++)
		;
	next += 1 + number_kind_place;
	assert_int_equal(*next, 1 << node_name_F | 1 << node_driver_F);
	*next = 1 << node_name_F;
	packed.len -= 4;
	assert_not_taken("nodes/a.yaml", &packed);
}

static void a_file_elsewhere_is_not_taken(void **state)
{
	AUTO_BUF struct buf packed = BUF_INIT(PACK_BYTES_MAX), stage = BUF_INIT(PACK_BYTES_MAX);

	(void)state;
	pack(PRODUCT_PATH, PRODUCT, &packed);
	assert_not_taken("nodes/x.yaml", &packed);
	assert_not_taken("projects/p/stages/s/x.yaml", &packed);
	assert_not_taken("projects/P/products/x.yaml", &packed);
	pack("projects/p/stages/s/stage.yaml", "kind: Stage\nname: s\n", &stage);
	assert_not_taken("projects/p/stages/t/stage.yaml", &stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_comes_back),
		cmocka_unit_test(what_people_write_comes_back),
		cmocka_unit_test(many_bytes_are_not_packed),
		cmocka_unit_test(many_structs_are_not_packed),
		cmocka_unit_test(torn_bytes_are_not_taken),
		cmocka_unit_test(forged_values_are_not_taken),
		cmocka_unit_test(what_is_missing_is_missed),
		cmocka_unit_test(a_file_elsewhere_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
