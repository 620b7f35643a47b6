#include "tests/support/test.h"

#include <dirent.h>

#include "base/fs.h"
#include "base/vec.h"
#include "schema/check.h"
#include "schema/decode.h"

/* Runs every case of tests/data/schema; its README.md says how a case is written. */

#define FOLDER "tests/data/schema"
#define CASE_MAX ((size_t)4 << 20)

struct case_file {
	char *path, *text;
	size_t len;
};

struct wanted {
	char *place; /* "path:line:column code" */
	char *text;  /* NULL, or part of message or hint */
};

struct corpus_case {
	bool check, escapes;
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
		free(corpus->wanted.v[i].text);
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

static void add_wanted(struct corpus_case *corpus, const char *line, size_t len)
{
	const char *tilde = memmem(line, len, " ~ ", 3);
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
	if (tilde)
		wanted.text = mem_strndup(tilde + 3, len - place - 3);
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

static void judge(const struct corpus_case *corpus, struct diags *diags)
{
	VEC(struct file *) files = {0};
	struct model *model;

	for (size_t i = 0; i < corpus->files.n; i++) {
		static const struct oid blob;
		const struct case_file *file = &corpus->files.v[i];

		if (corpus->check && file->len == 0)
			continue;
		VEC_PUSH(&files, file_decode(file->path, &blob, file->text, file->len));
		diags_append(diags, files.v[files.n - 1]->diags, files.v[files.n - 1]->diags_n);
	}
	if (corpus->check) {
		model = model_build(files.v, files.n, diags);
		check_model(model, NULL, diags);
		model_free(model);
	}
	for (size_t i = 0; i < files.n; i++)
		file_unref(files.v[i]);
	VEC_FREE(&files);
	diags_sort(diags);
}

static bool says(const struct diag *diag, const struct wanted *wanted)
{
	AUTO_FREE char *place =
		mem_printf("%s:%u:%u %s", diag->path ? diag->path : "", (unsigned)diag->at.line,
			   (unsigned)diag->at.column, diag_code_name(diag->code));

	if (!str_eq(place, wanted->place))
		return false;
	return !wanted->text || strstr(diag->message, wanted->text) ||
	       (diag->hint && strstr(diag->hint, wanted->text));
}

/* What was found, in the words of a case, for the one who mends either. */
static void tell(const struct diags *diags)
{
	for (size_t i = 0; i < diags->n; i++) {
		const struct diag *diag = &diags->v[i];

		print_error("%s:%u:%u %s ~ %s (%s)\n", diag->path ? diag->path : "",
			    (unsigned)diag->at.line, (unsigned)diag->at.column,
			    diag_code_name(diag->code), diag->message,
			    diag->hint ? diag->hint : "");
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

static int is_case(const struct dirent *entry)
{
	return str_ends(entry->d_name, ".case");
}

int main(void)
{
	struct dirent **entries;
	int n = scandir(FOLDER, &entries, is_case, alphasort);
	struct CMUnitTest *tests;
	int failed;

	if (n <= 0)
		return 1;
	tests = mem_zalloc((size_t)n, sizeof *tests);
	for (int i = 0; i < n; i++)
		tests[i] = (struct CMUnitTest){.name = entries[i]->d_name,
					       .test_func = test_case,
					       .initial_state = entries[i]->d_name};
	failed = _cmocka_run_group_tests("schema corpus", tests, (size_t)n, NULL, NULL);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	free(tests);
	return failed;
}
