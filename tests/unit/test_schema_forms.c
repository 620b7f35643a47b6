#include "tests/support/test.h"

#include <regex.h>
#include <signal.h>

#include "schema/check.h"
#include "schema/forms.h"
#include "schema/graph.h"
#include "schema/image.h"

/* ---- forms ---- */

/* Texts that are near the borders of some form; every form gets all of them. */
static const char *const samples[] = {
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	"successful",
	"",
	"a",
	"A",
	"-",
	"a-",
	"-a",
	"a-b",
	"a.b",
	"a_b",
	"a b",
	"a:b",
	"a:b:c",
	"0",
	"80",
	"0644",
	"644",
	"0999",
	"07777",
	"1.2.3.4",
	"::1",
	"/",
	"/a",
	"/a/b",
	"/a/",
	"//a",
	"a/b",
	"a//b",
	"..",
	"a/../b",
	".",
	"./a",
	"200",
	"200-399",
	"200,204",
	"200,",
	"99",
	"SIGTERM",
	"TERM",
	"sigterm",
	"a@b",
	"@b",
	"a@",
	"a@b@c",
	"ssh-ed25519 AAAA",
	"ssh-ed25519",
	"ssh-rsa AA== me@x",
	"1024-65535",
	"local/a:1",
	"local/a/b:1.0-x",
	"local/A:1",
	"a\tb",
	"a\nb",
	"root",
	"1000:1000",
	"owner",
	"boss",
	"A_B",
	"1A",
	"a$",
	">= 2.0.0",
	">=1.4, <2",
	"1.0.0-rc.1+b",
	"> 01",
	"*.example.org",
	"a..b",
	"NET_ADMIN",
	"-ALL",
	"CAP_NET_ADMIN",
	"/dev/fuse",
	"/dev/a:/dev/b:rwm",
	"/dev/a:rr",
	"/dev/../a",
	"10%",
	"101%",
	"rest",
	"team:web",
	"*/5 8-18 * * 1-5",
	"60 * * * *",
	"* * * *",
	"Europe/Berlin",
	"dev.trueup.owner",
	"traefik.http.routers.a.tls.domains[0].main",
};

/* Is what the function accepts within what the published pattern accepts? */
static void assert_within(const char *pattern, const char *text, const char *name)
{
	const char *ahead = str_starts(pattern, "(?!") ? strchr(pattern, ')') + 1 : pattern;
	AUTO_FREE char *whole = mem_printf("^(%s)$", ahead);
	regex_t regex;

	/* POSIX cannot look ahead; nor has it \s and escapes in brackets, which the patterns use
	 * for nothing else */
	for (char *at = whole; (at = strstr(at, "[^\\s"));)
		memcpy(at, "[^  ", 4);
	for (char *at = whole; (at = strstr(at, "[^@\\s"));)
		memcpy(at, "[^@  ", 5);
	assert_int_equal(regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB), 0);
	if (*pattern && regexec(&regex, text, 0, NULL, 0) != 0)
		fail_msg("%s: \"%s\" fits, but not the pattern %s", name, text, pattern);
	regfree(&regex);
}

static void test_patterns_allow_what_the_forms_allow(void **state)
{
	(void)state;
	for (int form = FORM_NONE + 1; form < FORMS; form++) {
		const struct form_row *row = form_row((enum form)form);

		for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
			if (row->value_pattern) {
				if (form_key_fits((enum form)form, samples[i]))
					assert_within(row->pattern, samples[i], row->name);
				if (form_value_fits((enum form)form, samples[i]))
					assert_within(row->value_pattern, samples[i], row->name);
			} else if (form_text_fits((enum form)form, samples[i])) {
				assert_within(row->pattern, samples[i], row->name);
			}
		}
	}
}

static void test_every_form_accepts_and_refuses_something(void **state)
{
	(void)state;
	for (int form = FORM_NONE + 1; form < FORMS; form++) {
		size_t fit = 0;

		for (size_t i = 0; i < ARRAY_LEN(samples); i++)
			fit += form_row((enum form)form)->value_pattern
				       ? form_key_fits((enum form)form, samples[i])
				       : form_text_fits((enum form)form, samples[i]);
		if (fit == 0 || fit == ARRAY_LEN(samples))
			fail_msg("%s fits %zu", form_row((enum form)form)->name, fit);
	}
	assert_true(form_text_fits(FORM_NONE, "anything at all"));
}

static void test_signals(void **state)
{
	(void)state;
	assert_int_equal(form_signal("SIGTERM"), SIGTERM);
	assert_int_equal(form_signal("SIGKILL"), SIGKILL);
	assert_int_equal(form_signal("SIGUSR2"), SIGUSR2);
	assert_int_equal(form_signal("TERM"), -1);
	assert_int_equal(form_signal("SIG"), -1);
	assert_int_equal(form_signal("SIGterm"), -1);
	assert_int_equal(form_signal(""), -1);
}

static void test_modes_ports_and_status_codes(void **state)
{
	int64_t low = 0, high = 0;

	(void)state;
	assert_int_equal(form_mode("0644"), 0644);
	assert_int_equal(form_mode("750"), 0750);
	assert_int_equal(form_ports("80", &low, &high), 0);
	assert_true(low == 80 && high == 80);
	assert_int_equal(form_ports("1024-65535", &low, &high), 0);
	assert_true(low == 1024 && high == 65535);
	assert_int_equal(form_ports("90-80", &low, &high), -1);
	assert_int_equal(form_ports("0", &low, &high), -1);
	assert_int_equal(form_ports("1-65536", &low, &high), -1);
	assert_int_equal(form_ports("-80", &low, &high), -1);
	assert_int_equal(form_ports("80-", &low, &high), -1);
	assert_int_equal(form_ports("123456789", &low, &high), -1);
	assert_true(form_status_accepts("200-399,404", 200));
	assert_true(form_status_accepts("200-399,404", 399));
	assert_true(form_status_accepts("200-399,404", 404));
	assert_false(form_status_accepts("200-399,404", 400));
	assert_false(form_status_accepts("200", 500));
}

/* ---- images ---- */

static void test_image_references(void **state)
{
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const struct {
		const char *text;
		enum image_source source;
		const char *registry, *path, *tag, *digest;
	} rows[] = {
		{"local/shop/web:1.0", IMAGE_LOCAL, "local", "shop/web", "1.0", NULL},
		{"local/a:latest", IMAGE_LOCAL, "local", "a", "latest", NULL},
		{"nginx", IMAGE_HUB, NULL, "nginx", NULL, NULL},
		{"nginx:1.25", IMAGE_HUB, NULL, "nginx", "1.25", NULL},
		{"main/shop/web:1", IMAGE_NAMED, "main", "shop/web", "1", NULL},
		{"ghcr.io/a/b", IMAGE_HOST, "ghcr.io", "a/b", NULL, NULL},
		{"localhost/a", IMAGE_HOST, "localhost", "a", NULL, NULL},
		{"127.0.0.1:5000/a:1", IMAGE_HOST, "127.0.0.1:5000", "a", "1", NULL},
		{"r.io:5000/a@sha256:" HEX, IMAGE_HOST, "r.io:5000", "a", NULL, "sha256:" HEX},
		{"local/a:1@sha256:" HEX, IMAGE_LOCAL, "local", "a", "1", "sha256:" HEX},
		{"local/a__b/c---d:x_Y.z-1", IMAGE_LOCAL, "local", "a__b/c---d", "x_Y.z-1", NULL},
	};
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image_ref ref;

		assert_done(image_ref_parse(arena, rows[i].text, &ref, &err), err);
		assert_int_equal(ref.source, rows[i].source);
		assert_true(str_eq(ref.registry, rows[i].registry));
		assert_string_equal(ref.path, rows[i].path);
		assert_true(str_eq(ref.tag, rows[i].tag));
		assert_true(str_eq(ref.digest, rows[i].digest));
	}
}

static void test_image_references_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"/",
		":1",
		"@",
		"local/",
		"local/a",
		"local/a:",
		"local/a:-x",
		"local/a:.x",
		"local/a:a/b",
		"local/A:1",
		"local/a/../b:1",
		"local/./a:1",
		"local//a:1",
		"local/a.:1",
		"local/a___b:1",
		"local/a._b:1",
		"local/-a:1",
		"local/a b:1",
		"local/a:1@",
		"local/a:1@md5:00",
		"local/a:1@sha256:" HEX "0",
		"local/a:1@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		"r.io:x/a",
		"r.io:/a",
		":5000/a",
		"r\xc3\xa4.io/a",
		"local/"
		"a:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	};
	char longest[IMAGE_TEXT_MAX + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;

		if (image_ref_check(rows[i], &err) == 0)
			fail_msg("accepted: %s", rows[i]);
		assert_true(err.code == E_BAD_INPUT && err.text[0]);
	}
	memset(longest, 'a', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_int_equal(image_ref_check(longest, NULL), -1);
	longest[IMAGE_TEXT_MAX] = '\0';
	assert_int_equal(image_ref_check(longest, NULL), 0);
}

/* ---- nearest names ---- */

static void test_nearest(void **state)
{
	static const char *const names[] = {"name", "node", "nodes", "nodeSelector", "prefix"};
	char longest[100];

	(void)state;
	assert_string_equal(check_nearest("nmae", names, 5), "name");
	assert_string_equal(check_nearest("Prefix", names, 5), "prefix");
	assert_string_equal(check_nearest("nodes", names, 5), "nodes");
	assert_string_equal(check_nearest("nodeselector", names, 5), "nodeSelector");
	assert_string_equal(check_nearest("nodeslector", names, 5), "nodeSelector");
	assert_null(check_nearest("xyzzy", names, 5));
	assert_null(check_nearest("", names, 5));
	assert_null(check_nearest("name", names, 0));
	memset(longest, 'n', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	assert_null(check_nearest(longest, names, 5));
}

/* ---- cycles ---- */

struct sample_graph {
	const char *edges; /* "ab bc": from a to b, from b to c; capital letters lead nowhere */
	char found[200];
};

static size_t sample_edge(void *arg, size_t node, size_t i)
{
	const struct sample_graph *sample = arg;

	for (const char *at = sample->edges; *at; at += at[2] ? 3 : 2) {
		if ((size_t)(at[0] - 'a') != node || i--)
			continue;
		return at[1] >= 'a' ? (size_t)(at[1] - 'a') : GRAPH_NOWHERE;
	}
	return GRAPH_END;
}

static void sample_found(void *arg, const size_t *cycle, size_t length)
{
	struct sample_graph *sample = arg;
	size_t end = strlen(sample->found);

	for (size_t i = 0; i < length; i++)
		sample->found[end++] = (char)('a' + (char)cycle[i]);
	sample->found[end++] = ' ';
	sample->found[end] = '\0';
}

static void test_cycles(void **state)
{
	static const struct {
		const char *edges, *found;
	} rows[] = {
		{"", ""},
		{"ab bc ac", ""},
		{"aa", "a "},
		{"ab ba", "ab "},
		{"ab bc cd db", "bcd "},
		{"cb ba ac", "acb "},
		{"aX Xa ab", ""},
		{"ab ba cd dc", "ab cd "},
		{"ab ac bd cd da", "abd "},
		{"ab ba bb", "ab b "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sample_graph sample = {.edges = rows[i].edges};
		struct graph graph = {6, sample_edge, sample_found, &sample};

		graph_cycles(&graph);
		assert_string_equal(sample.found, rows[i].found);
	}
}

static size_t chain_edge(void *arg, size_t node, size_t i)
{
	size_t n = *(size_t *)arg;

	return i == 0 && node + 1 < n ? node + 1 : GRAPH_END;
}

static void no_cycle(void *arg, const size_t *cycle, size_t length)
{
	(void)arg;
	(void)cycle;
	fail_msg("a cycle of %zu", length);
}

static void test_a_long_chain_needs_no_stack(void **state)
{
	size_t n = 1000000;
	struct graph graph = {n, chain_edge, no_cycle, &n};

	(void)state;
	graph_cycles(&graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns_allow_what_the_forms_allow),
		cmocka_unit_test(test_every_form_accepts_and_refuses_something),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_modes_ports_and_status_codes),
		cmocka_unit_test(test_image_references),
		cmocka_unit_test(test_image_references_refused),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_cycles),
		cmocka_unit_test(test_a_long_chain_needs_no_stack),
	};

	return cmocka_run_group_tests_name("schema forms", tests, NULL, NULL);
}
