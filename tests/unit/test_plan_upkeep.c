/*
 * Which images may go: tables of records of one node, each with one image that has a letter.
 */
#include "tests/support/test.h"

#include "plan/upkeep.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const char *digest_of(char letter)
{
	char *digest = arena_printf(arena, "sha256:%064d", 0);

	digest[strlen(digest) - 1] = letter;
	return digest;
}

static const char *content_with(char letter)
{
	return arena_printf(arena,
			    "{\"containers\":[{\"config\":{},\"digest\":\"%s\","
			    "\"image\":\"local/web:1\",\"name\":\"web\"}]}",
			    digest_of(letter));
}

/* The same, where the image is that of what runs before the container. */
static const char *content_before(char letter)
{
	return arena_printf(arena,
			    "{\"containers\":[{\"config\":{\"init\":[{\"image\":\"local/m:1\","
			    "\"name\":\"m\"}]},\"image\":\"local/web:1\","
			    "\"initDigests\":[\"%s\"],\"name\":\"web\"}]}",
			    digest_of(letter));
}

/*
 * "web:aS bO cA": the slots and their records, oldest first; each is the letter of its image and
 * what became of it: A active, S succeeded once, F failed, P preparing, I in progress.
 */
static struct history history_of(const char *text, const char *node)
{
	struct history history = {.records = ARENA_ARRAY(arena, strlen(text) + 1, struct record)};
	struct slot_key slot = {"shop", "prod", "?", node};

	for (const char *at = text; *at; at++) {
		const char *colon = strchr(at, ':');
		size_t len = strcspn(at, " ");

		if (colon && colon < at + len) {
			slot.deployment = arena_strndup(arena, at, (size_t)(colon - at));
			at = colon + 1;
		}
		history.records[history.records_n] = (struct record){
			.id = (int64_t)history.records_n + 1,
			.slot = slot,
			.status = at[1] == 'P'	 ? RECORD_PREPARING
				  : at[1] == 'I' ? RECORD_IN_PROGRESS
				  : at[1] == 'F' ? RECORD_FAILED
				  : at[1] == 'A' ? RECORD_SUCCESSFUL
						 : RECORD_OBSOLETE,
			.succeeded = at[1] == 'A' || at[1] == 'S',
			.active = at[1] == 'A',
			.content = content_with(at[0]),
			.release_id = digest_of(at[0]),
		};
		history.records_n++;
		at += 2;
		if (!*at)
			break;
	}
	return history;
}

/* The images of the node: one for each letter. */
static struct observed observed_with(const char *letters, const char *runs)
{
	struct observed observed = {
		.node = "edge-1",
		.images = ARENA_ARRAY(arena, strlen(letters) + 1, const char *),
		.workloads = ARENA_ARRAY(arena, strlen(runs) + 1, struct workload),
	};

	for (; *letters; letters++)
		observed.images[observed.images_n++] = digest_of(*letters);
	for (; *runs; runs++)
		observed.workloads[observed.workloads_n++] =
			(struct workload){.name = "x", .digest = digest_of(*runs)};
	return observed;
}

static int no_content(void *arg, int64_t record, struct arena *into, const char **json,
		      struct err *err)
{
	(void)record;
	(void)into;
	*json = NULL;
	return arg ? err_set(err, E_LEDGER, "not now") : 0;
}

static const char *letters_of(const char **digests, size_t n)
{
	char *letters = arena_strdup(arena, "........................");

	letters[n] = '\0';
	for (size_t i = 0; i < n; i++)
		letters[i] = digests[i][strlen(digests[i]) - 1];
	return letters;
}

static void test_what_goes(void **state)
{
	static const struct {
		const char *records, *images, *runs;
		int releases;
		const char *go;
	} rows[] = {
		{"web:aA", "a", "a", 3, ""},
		{"web:aS bS cS dS eA", "abcde", "e", 3, "a"},
		{"web:aS bS cS dS eA", "abcde", "e", 1, "abc"},
		/* the active one is not among those that are counted, wherever it stands */
		{"web:aS bA cS dS eS", "abcde", "b", 1, "acd"},
		/* what came back counts once */
		{"web:aS bS cS bS cA", "abc", "c", 1, "a"},
		{"web:aS bS cS bS cA", "abc", "c", 2, ""},
		{"web:aS bS aS bS aS cA", "abc", "c", 2, ""},
		/* a failure is never gone back to */
		{"web:aA bF", "ab", "a", 3, "b"},
		{"web:aS bF cF dA", "abcd", "d", 1, "bc"},
		/* what is not over needs its image */
		{"web:aA bP", "ab", "a", 1, ""},
		{"web:aA bI", "ab", "a", 1, ""},
		/* each slot for itself, and an image of two slots for both */
		{"api:aS bA web:cS dA", "abcd", "bd", 1, ""},
		{"api:aS bS cA web:aA", "abc", "ac", 1, ""},
		{"api:aS bS cA web:dA", "abcd", "cd", 1, "a"},
		/* what a container has stays, whatever the records say */
		{"web:bA", "ab", "ab", 1, ""},
		{"", "ab", "b", 3, "a"},
		/* only what is there can go */
		{"web:aS bS cA", "c", "c", 1, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct history history = history_of(rows[i].records, "edge-1");
		struct observed observed = observed_with(rows[i].images, rows[i].runs);
		struct upkeep_input input = {.history = &history,
					     .observed = &observed,
					     .releases = rows[i].releases,
					     .content = no_content};
		struct err err = ERR_INIT;
		const char **digests;
		size_t n;

		assert_done(upkeep_images(&input, arena, &digests, &n, &err), err);
		if (!str_eq(letters_of(digests, n), rows[i].go))
			fail_msg("%s with %s: goes %s, not %s", rows[i].records, rows[i].images,
				 letters_of(digests, n), rows[i].go);
	}
}

static void test_what_runs_before_is_needed(void **state)
{
	struct history history = history_of("web:aA", "edge-1");
	struct observed observed = observed_with("abc", "a");
	struct upkeep_input input = {.history = &history, .observed = &observed, .releases = 3};
	struct err err = ERR_INIT;
	const char **digests;
	size_t n;

	(void)state;
	history.records[0].content = content_before('b');
	assert_done(upkeep_images(&input, arena, &digests, &n, &err), err);
	assert_string_equal(letters_of(digests, n), "c");
}

static void test_other_nodes_need_nothing_here(void **state)
{
	struct history history = history_of("web:aA", "edge-2");
	struct observed observed = observed_with("a", "");
	struct upkeep_input input = {.history = &history, .observed = &observed, .releases = 3};
	struct err err = ERR_INIT;
	const char **digests;
	size_t n;

	(void)state;
	assert_done(upkeep_images(&input, arena, &digests, &n, &err), err);
	assert_int_equal(n, 1);
}

static void test_nothing_goes_when_not_all_is_known(void **state)
{
	struct history history = history_of("web:aS bA", "edge-1");
	struct observed observed = observed_with("abc", "b");
	struct upkeep_input input = {.history = &history,
				     .observed = &observed,
				     .releases = 3,
				     .content = no_content,
				     .arg = &observed};
	struct err err = ERR_INIT;
	const char **digests;
	size_t n;

	(void)state;
	history.records[0].content = NULL;
	assert_fails(upkeep_images(&input, arena, &digests, &n, &err), err, E_LEDGER);
	history.records[0].content = "{";
	assert_fails(upkeep_images(&input, arena, &digests, &n, &err), err, E_BAD_INPUT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_goes),
		TEST(test_what_runs_before_is_needed),
		TEST(test_other_nodes_need_nothing_here),
		TEST(test_nothing_goes_when_not_all_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
