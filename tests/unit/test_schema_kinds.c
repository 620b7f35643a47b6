#include "tests/support/test.h"

#include "base/num.h"
#include "schema/kinds.h"

/* The table against itself: what a typing slip in kinds.def would break. */

static bool parses(const struct field_type_row *row, const char *text)
{
	int64_t value = 0;

	switch (row->type) {
	case TYPE_BOOL:
		return str_eq(text, "true") || str_eq(text, "false");
	case TYPE_INT:
		return num_parse_int(text, row->min, row->max, &value) == 0;
	case TYPE_DURATION:
		return num_parse_duration(text, &value) == 0 && value >= row->min &&
		       value <= row->max;
	case TYPE_SIZE:
		return num_parse_size(text, &value) == 0;
	case TYPE_CPU:
		return num_parse_cpu(text, &value) == 0;
	case TYPE_ENUM:
		return enum_find(row->enumeration, text) != NULL;
	case TYPE_STRING:
	case TYPE_NAME:
		return (int64_t)strlen(text) >= row->min && (int64_t)strlen(text) <= row->max;
	default:
		return false;
	}
}

static void check_row(const struct object_type *type, const struct field_type_row *row)
{
	bool nested =
		row->type == TYPE_OBJECT || row->type == TYPE_LIST || row->type == TYPE_OBJMAP;

	if (row->fallback && !parses(row, row->fallback))
		fail_msg("%s.%s: default %s is not a value", type->name, row->key, row->fallback);
	if (nested != (row->object != NULL))
		fail_msg("%s.%s: object", type->name, row->key);
	if ((row->type == TYPE_ENUM) != (row->enumeration != NULL))
		fail_msg("%s.%s: words", type->name, row->key);
	if (row->min > row->max)
		fail_msg("%s.%s: bounds", type->name, row->key);
	if (row->type == TYPE_ANY && !(row->flags & LATER))
		fail_msg("%s.%s: ANY stores nothing, so it must be LATER", type->name, row->key);
	if (row->type == TYPE_LIST && !(row->flags & LATER) &&
	    object_key(row->object) == row->object->fields + row->object->fields_n)
		fail_msg("%s.%s: its items have no KEY to tell them apart", type->name, row->key);
	for (size_t i = 0; row->flags & LONG && i < row->object->fields_n; i++) {
		const struct field_type_row *inner = &row->object->fields[i];
		const struct field_type_row *outer = object_field(type, inner->key);

		if (!outer || outer->type != inner->type || outer->flags & LONG ||
		    outer->min != inner->min || outer->max != inner->max)
			fail_msg("%s.%s.%s: nothing around it is the same", type->name, row->key,
				 inner->key);
	}
	if ((row->flags & REL) && (row->flags & OPS))
		fail_msg("%s.%s: release and operations", type->name, row->key);
	if (FLAGS_FORM(row->flags) >= FORMS)
		fail_msg("%s.%s: form", type->name, row->key);
	if (object_field(type, row->key) != row)
		fail_msg("%s.%s: key stands twice", type->name, row->key);
	assert_true(row->offset >= sizeof(struct head) && row->offset <= type->size);
}

static void test_table_is_sound(void **state)
{
	const struct object_type *type;

	(void)state;
	for (size_t i = 0; (type = object_type_at(i)); i++) {
		assert_ptr_equal(object_type_find(type->name), type);
		assert_true(type->fields_n <= 64);
		assert_true((type->title != NULL) == (type->scope != SCOPE_NONE));
		for (size_t j = 0; j < type->fields_n; j++)
			check_row(type, &type->fields[j]);
	}
}

static void test_every_configuration_field_belongs_somewhere(void **state)
{
	static const struct object_type *const types[] = {
		&type_container,  &type_port,	   &type_volume,    &type_config_file,
		&type_http_check, &type_tcp_check, &type_resources, &type_health_check,
		&type_expect,	  &type_image,	   &type_instance,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		for (size_t j = 0; j < types[i]->fields_n; j++)
			assert_true(types[i]->fields[j].flags & (REL | OPS));
	}
}

static void test_lists_merge_by_exactly_one_key(void **state)
{
	const struct object_type *type;

	(void)state;
	for (size_t i = 0; (type = object_type_at(i)); i++) {
		for (size_t j = 0; j < type->fields_n; j++) {
			const struct object_type *item = type->fields[j].object;
			size_t keys = 0;

			if (type->fields[j].type != TYPE_LIST)
				continue;
			for (size_t k = 0; k < item->fields_n; k++) {
				/* further ones only tell items apart: words that have a default */
				if (item->fields[k].flags & KEY && keys++)
					assert_true(item->fields[k].type == TYPE_ENUM &&
						    item->fields[k].fallback);
			}
			assert_true(keys > 0);
		}
	}
}

static void test_kinds_are_found(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < KINDS; kind++) {
		const struct object_type *type = kind_type((enum kind)kind);

		assert_ptr_equal(kind_find(type->title), type);
		assert_int_equal(kind_of(type), kind);
	}
	assert_null(kind_find("Nonsense"));
	assert_null(object_type_find("nonsense"));
	assert_int_equal(kind_of(&type_port), KINDS);
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(ENUM_WORD(driver, DRIVER_HOST), "host");
	assert_string_equal(ENUM_WORD(driver, 0), "");
	assert_string_equal(ENUM_WORD(driver, 99), "");
	assert_ptr_equal(enum_type_find("restart_policy"), &words_restart_policy);
	assert_null(enum_type_find("nonsense"));
	assert_int_equal(enum_find(&words_restart_policy, "no")->value, RESTART_NO);
	assert_null(enum_find(&words_restart_policy, "maybe"));
}

static void test_defaults(void **state)
{
	struct container none = {0};
	struct container some = {.head.set = UINT64_C(1) << container_stop_timeout_F,
				 .stop_timeout = 3000};

	(void)state;
	assert_int_equal(KIND_OR((struct container *)NULL, container, stop_timeout), 10000);
	assert_int_equal(KIND_OR(&none, container, stop_timeout), 10000);
	assert_int_equal(KIND_OR(&some, container, stop_timeout), 3000);
	assert_int_equal(KIND_OR(&none, container, restart_policy), RESTART_UNLESS_STOPPED);
	assert_int_equal(KIND_OR(&none, container, scale), 1);
	assert_int_equal(KIND_OR((struct volume *)NULL, volume, shared), 0);
	assert_int_equal(KIND_OR((struct volume *)NULL, volume, type), VOLUME_RW);
	assert_int_equal(KIND_OR((struct resources *)NULL, resources, memory), 0);
	assert_string_equal(KIND_TEXT_OR(&none, container, stop_signal), "SIGTERM");
	assert_string_equal(KIND_TEXT_OR((struct config_file *)NULL, config_file, mode), "0644");
	assert_null(KIND_TEXT_OR(&none, container, user));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_sound),
		cmocka_unit_test(test_every_configuration_field_belongs_somewhere),
		cmocka_unit_test(test_lists_merge_by_exactly_one_key),
		cmocka_unit_test(test_kinds_are_found),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_defaults),
	};

	return cmocka_run_group_tests_name("schema kinds", tests, NULL, NULL);
}
