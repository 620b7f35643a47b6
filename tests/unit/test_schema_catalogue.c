#include "tests/support/test.h"

#include "schema/catalogue.h"
#include "schema/kinds.h"

/* The catalogue is data: what its rows must be like, and what becomes of them. */

static void test_each_type_has_its_row(void **state)
{
	(void)state;
	for (int type = 1; type < service_type_end_; type++) {
		const struct catalogue_row *row = catalogue_find(type);

		assert_non_null(row);
		for (size_t i = 1; i < CATALOGUE_WORDS && row->env[i][0]; i++)
			assert_true(strcmp(row->env[i - 1][0], row->env[i][0]) < 0);
		/* an image has a tag, and a URL a port */
		assert_int_equal(row->image != NULL, row->version != NULL);
		assert_true(!row->url || row->port);
	}
	assert_null(catalogue_find(0));
}

/* Every option is some type's, and told in words that begin with that. */
static void test_each_option_says_whose_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < type_service_options.fields_n; i++) {
		const struct field_type_row *field = &type_service_options.fields[i];
		bool any = false;

		for (int type = 1; type < service_type_end_; type++) {
			const char *word = ENUM_WORD(service_type, type);
			bool has = catalogue_find(type)->options >> i & 1;

			any |= has;
			if (str_starts(field->text, "all but volume:"))
				assert_int_equal(has, type != SERVICE_VOLUME);
			else
				assert_int_equal(has, strstr(field->text, word) != NULL);
		}
		assert_true(any);
	}
}

static struct service_options plain;

static const char *url_of(struct arena *arena, int type, const struct service_options *options)
{
	const struct service service = {.name = "db", .type = type, .options = options};

	return catalogue_url(arena, &service);
}

static void test_urls(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct service_options named = {.database = "shop", .user = "ann"};
	struct port ports[] = {{.container = 8080}, {.container = 9090}};
	struct service_options own = {.url = "x://{host}:{port}/{user}", .ports = {ports, 2}};

	(void)state;
	assert_string_equal(url_of(arena, SERVICE_POSTGRESQL, NULL),
			    "postgresql://app@{{ prefix }}-db:5432/app");
	assert_string_equal(url_of(arena, SERVICE_POSTGRESQL, &named),
			    "postgresql://ann@{{ prefix }}-db:5432/shop");
	assert_string_equal(url_of(arena, SERVICE_REDIS, &plain), "redis://{{ prefix }}-db:6379/0");
	assert_null(url_of(arena, SERVICE_VOLUME, NULL));
	assert_null(url_of(arena, SERVICE_CUSTOM, &plain));
	assert_string_equal(url_of(arena, SERVICE_CUSTOM, &own), "x://{{ prefix }}-db:8080/");
	own.url = "x://{host}:{port}/{{ stage }}{}";
	assert_string_equal(url_of(arena, SERVICE_CUSTOM, &own),
			    "x://{{ prefix }}-db:8080/{{ stage }}{}");
}

static void test_words_in_urls(void **state)
{
	AUTO_ARENA struct arena *arena = arena_new(0);

	(void)state;
	assert_null(catalogue_unknown(arena, "x://{host}:{port}/{{ stage }}"));
	assert_null(catalogue_unknown(arena, ""));
	assert_string_equal(catalogue_unknown(arena, "{host}{user}"), "{user}");
	assert_string_equal(catalogue_unknown(arena, "x{"), "{");
	assert_string_equal(catalogue_unknown(arena, "{port"), "{port");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_type_has_its_row),
		cmocka_unit_test(test_each_option_says_whose_it_is),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_words_in_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
