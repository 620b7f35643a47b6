#include "tests/support/test.h"
#include "tests/support/decode_texts.h"

#include <dirent.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/vec.h"
#include "plan/desired.h"
#include "schema/check.h"
#include "schema/decode.h"

/*
 * Runs every case of tests/data/schema; its README.md says how a case is written. With SHOW=1 in
 * the environment it also prints what a person gets to see of each.
 */

#define FOLDER "tests/data/schema"
#define CASE_MAX ((size_t)4 << 20)
#define SETTINGS "trueup.yaml" /* a file of this name holds the reconciler's settings */
#define TEXTS_MAX 4
#define WRONG_MIN 300 /* so many cases have a problem, and no two of them the same documents */

struct case_file {
	char *path, *text;
	size_t len;
};

struct wanted {
	char *place;		/* "path:line:column code" */
	char *texts[TEXTS_MAX]; /* each a part of message, hint or related place */
	size_t texts_n;
};

struct corpus_case {
	bool check, whole, escapes;
	VEC(struct case_file) files;
	VEC(struct wanted) wanted;
};

static void release_case(struct corpus_case *corpus)
{
	for (size_t i = 0; i < corpus->files.n; i++) {
		free(corpus->files.v[i].path);
		free(corpus->files.v[i].text);
	}
	for (size_t i = 0; i < corpus->wanted.n; i++) {
		free(corpus->wanted.v[i].place);
		for (size_t j = 0; j < corpus->wanted.v[i].texts_n; j++)
			free(corpus->wanted.v[i].texts[j]);
	}
	VEC_FREE(&corpus->files);
	VEC_FREE(&corpus->wanted);
}

static unsigned hex_digit(char c)
{
	return c >= 'a' ? (unsigned)(c - 'a' + 10) : (unsigned)(c - '0');
}

/* In place; the text gets shorter. */
static size_t unescape(char *text, size_t len)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '\\' && i + 1 < len) {
			c = text[++i];
			if (c == 'x' && i + 2 < len) {
				c = (char)(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
				i += 2;
			} else {
				c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
			}
		}
		text[out++] = c;
	}
	return out;
}

static void add_line(struct case_file *file, const char *line, size_t len)
{
	file->text = mem_realloc(file->text, file->len + len + 2);
	memcpy(file->text + file->len, line, len);
	file->len += len;
	file->text[file->len++] = '\n';
}

#define TILDE " ~ "

static void add_wanted(struct corpus_case *corpus, const char *line, size_t len)
{
	const char *tilde = memmem(line, len, TILDE, strlen(TILDE));
	size_t place = tilde ? (size_t)(tilde - line) : len;
	bool has_path =
		memchr(line, ' ', place) &&
		memchr(line, ':', place) !=
			memrchr(line, ':', (size_t)((char *)memchr(line, ' ', place) - line));
	struct wanted wanted = {0};

	if (len == 0)
		return;
	wanted.place = mem_printf("%s%s%.*s", has_path ? "" : corpus->files.v[0].path,
				  has_path ? "" : ":", (int)place, line);
	while (tilde) {
		const char *text = tilde + strlen(TILDE), *end = line + len;

		tilde = memmem(text, (size_t)(end - text), TILDE, strlen(TILDE));
		if (wanted.texts_n == TEXTS_MAX)
			fail_msg("more texts than %d: %.*s", TEXTS_MAX, (int)len, line);
		wanted.texts[wanted.texts_n++] =
			mem_strndup(text, (size_t)((tilde ? tilde : end) - text));
	}
	VEC_PUSH(&corpus->wanted, wanted);
}

static void take_case_line(struct corpus_case *corpus, const char *line, size_t len, bool *expected)
{
	if (len == 3 && memcmp(line, "<<<", 3) == 0) {
		*expected = true;
	} else if (*expected) {
		add_wanted(corpus, line, len);
	} else if (len > 4 && memcmp(line, ">>> ", 4) == 0) {
		VEC_PUSH(&corpus->files,
			 (struct case_file){.path = mem_strndup(line + 4, len - 4)});
	} else if (corpus->files.n) {
		add_line(&corpus->files.v[corpus->files.n - 1], line, len);
	} else if (len == 5 && memcmp(line, "check", 5) == 0) {
		corpus->check = true;
	} else if (len == 5 && memcmp(line, "whole", 5) == 0) {
		corpus->check = corpus->whole = true;
	} else if (len == 7 && memcmp(line, "escapes", 7) == 0) {
		corpus->escapes = true;
	} else if (len && *line != '#') {
		fail_msg("not a line of a case: %.*s", (int)len, line);
	}
}

static void read_case(const char *name, struct corpus_case *corpus)
{
	AUTO_BUF struct buf text = BUF_INIT(CASE_MAX);
	AUTO_FREE char *path = mem_printf("%s/%s", FOLDER, name);
	struct err err = ERR_INIT;
	bool expected = false;

	assert_done(fs_read(path, CASE_MAX, &text, &err), err);
	for (const char *line = buf_str(&text), *end; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		take_case_line(corpus, line, (size_t)(end - line), &expected);
	}
	for (size_t i = 0; corpus->escapes && i < corpus->files.n; i++)
		corpus->files.v[i].len = unescape(corpus->files.v[i].text, corpus->files.v[i].len);
}

/* The files of `base` that the case does not replace. */
static void take_base(struct corpus_case *corpus, struct corpus_case *base)
{
	for (size_t i = 0; i < base->files.n; i++) {
		bool replaced = false;

		for (size_t j = 0; j < corpus->files.n; j++)
			replaced |= str_eq(corpus->files.v[j].path, base->files.v[i].path);
		if (replaced)
			continue;
		VEC_PUSH(&corpus->files, base->files.v[i]);
		base->files.v[i] = (struct case_file){0};
	}
}

/* What must hold on the nodes; with settings, where the case has some, also by their policy. */
static void check_nodes(const struct model *model, const struct settings *settings,
			struct diags *diags)
{
	const struct driver_env env = {.state_dir = "/", .owner = "", .settings = settings};
	struct desired *desired = desired_build(model, NULL, NULL, diags);

	desired_check(desired, model, settings ? &env : NULL, diags);
	desired_free(desired);
}

static int read_case_file(void *arg, const char *path, struct buf *out)
{
	const struct corpus_case *corpus = arg;

	for (size_t i = 0; i < corpus->files.n; i++) {
		if (!str_eq(corpus->files.v[i].path, path))
			continue;
		buf_add(out, corpus->files.v[i].text, corpus->files.v[i].len);
		return 0;
	}
	return -1;
}

static void judge(struct corpus_case *corpus, struct diags *diags)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct settings *settings = NULL;
	struct decoded_files decoded = {0};
	struct model *model;
	VEC(struct text_file) texts = {0};

	for (size_t i = 0; i < corpus->files.n; i++) {
		const struct case_file *file = &corpus->files.v[i];

		if (str_eq(file->path, SETTINGS))
			settings = settings_decode(arena, SETTINGS, file->text, file->len, NULL, 0,
						   diags);
		else if (!corpus->check || file->len)
			VEC_PUSH(&texts, ((struct text_file){file->path, file->text, file->len}));
	}
	decode_texts(texts.v, texts.n, &decoded);
	VEC_FREE(&texts);
	for (size_t i = 0; i < decoded.files.n; i++)
		diags_append(diags, decoded.files.v[i]->diags, decoded.files.v[i]->diags_n);
	if (corpus->check) {
		model = model_build(decoded.files.v, decoded.files.n, diags);
		check_model(model, NULL, diags);
		if (corpus->whole)
			check_nodes(model, settings, diags);
		model_free(model);
	}
	decoded_release(&decoded);
	diags_sort(diags);
	diags_excerpts(diags, read_case_file, corpus);
}

static bool holds(const struct diag *diag, const char *text)
{
	AUTO_FREE char *related =
		mem_printf("see %s:%u:%u", diag->related_path ? diag->related_path : "",
			   (unsigned)diag->related.line, (unsigned)diag->related.column);

	return strstr(diag->message, text) || (diag->hint && strstr(diag->hint, text)) ||
	       str_eq(related, text);
}

static bool says(const struct diag *diag, const struct wanted *wanted)
{
	AUTO_FREE char *place =
		mem_printf("%s:%u:%u %s", diag->path ? diag->path : "", (unsigned)diag->at.line,
			   (unsigned)diag->at.column, diag_code_name(diag->code));
	bool all = str_eq(place, wanted->place);

	for (size_t i = 0; i < wanted->texts_n; i++)
		all = all && holds(diag, wanted->texts[i]);
	return all;
}

/* What was found, in the words of a case, for the one who mends either. */
static void tell(const struct diags *diags)
{
	for (size_t i = 0; i < diags->n; i++) {
		const struct diag *diag = &diags->v[i];

		print_error("%s:%u:%u %s ~ %s", diag->path ? diag->path : "",
			    (unsigned)diag->at.line, (unsigned)diag->at.column,
			    diag_code_name(diag->code), diag->message);
		if (diag->hint)
			print_error(" ~ %s", diag->hint);
		if (diag->related_path)
			print_error(" ~ see %s:%u:%u", diag->related_path,
				    (unsigned)diag->related.line, (unsigned)diag->related.column);
		print_error("\n");
	}
}

static void show(const char *name, const struct diags *diags)
{
	print_error("==== %s\n", name);
	for (size_t i = 0; i < diags->n; i++) {
		AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);

		diag_render(&diags->v[i], DIAG_PLAIN, &out);
		print_error("%s", buf_str(&out));
	}
}

static void test_case(void **state)
{
	const char *name = *state;
	struct corpus_case corpus = {0}, base = {0};
	AUTO_DIAGS struct diags diags = {0};
	bool same;

	read_case(name, &corpus);
	if (corpus.check) {
		read_case("base.files", &base);
		take_base(&corpus, &base);
	}
	judge(&corpus, &diags);
	if (getenv("SHOW"))
		show(name, &diags);
	same = diags.n == corpus.wanted.n;
	for (size_t i = 0; same && i < diags.n; i++)
		same = says(&diags.v[i], &corpus.wanted.v[i]);
	if (!same) {
		tell(&diags);
		fail_msg("%s: the above was found", name);
	}
	release_case(&corpus);
	release_case(&base);
}

struct folder {
	struct dirent **entries;
	int n;
};

/* The texts of all files and their names, as one. */
static void whole_text(const struct corpus_case *corpus, struct buf *out)
{
	for (size_t i = 0; i < corpus->files.n; i++) {
		buf_adds(out, corpus->files.v[i].path);
		buf_addc(out, '\n');
		buf_add(out, corpus->files.v[i].text, corpus->files.v[i].len);
	}
}

static void test_there_are_enough(void **state)
{
	AUTO_MAP struct map seen = {0};
	const struct folder *folder = *state;
	size_t wrong = 0;

	for (int i = 0; i < folder->n; i++) {
		char *name = folder->entries[i]->d_name;
		AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
		struct corpus_case corpus = {0};
		char hash[HASH_HEX_SIZE];

		read_case(name, &corpus);
		whole_text(&corpus, &text);
		hash_hex(buf_str(&text), text.len, hash);
		if (map_get(&seen, hash))
			fail_msg("%s and %s are the same", (char *)map_get(&seen, hash), name);
		map_put(&seen, hash, name);
		wrong += corpus.wanted.n > 0;
		release_case(&corpus);
	}
	if (wrong < WRONG_MIN)
		fail_msg("%zu wrong manifests, at least %d are needed", wrong, WRONG_MIN);
}

static int is_case(const struct dirent *entry)
{
	return str_ends(entry->d_name, ".case");
}

int main(void)
{
	struct folder folder = {0};
	struct CMUnitTest *tests;
	int failed;

	folder.n = scandir(FOLDER, &folder.entries, is_case, alphasort);
	if (folder.n <= 0)
		return 1;
	tests = mem_zalloc((size_t)folder.n + 1, sizeof *tests);
	for (int i = 0; i < folder.n; i++)
		tests[i] = (struct CMUnitTest){.name = folder.entries[i]->d_name,
					       .test_func = test_case,
					       .initial_state = folder.entries[i]->d_name};
	tests[folder.n] = (struct CMUnitTest){.name = "there are enough cases",
					      .test_func = test_there_are_enough,
					      .initial_state = &folder};
	failed = _cmocka_run_group_tests("schema corpus", tests, (size_t)folder.n + 1, NULL, NULL);
	for (int i = 0; i < folder.n; i++)
		free(folder.entries[i]);
	free(folder.entries);
	free(tests);
	return failed;
}
