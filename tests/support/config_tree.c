#include "tests/support/test.h"
#include "tests/support/config_tree.h"

#include "base/fs.h"
#include "base/hash.h"
#include "schema/check.h"
#include "schema/decode.h"

void config_release(struct config_tree *tree)
{
	for (size_t i = 0; i < tree->files.n; i++)
		file_unref(tree->files.v[i]);
	VEC_FREE(&tree->files);
}

static void config_remove(struct config_tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->files.n; i++) {
		if (!str_eq(tree->files.v[i]->path, path))
			continue;
		file_unref(tree->files.v[i]);
		tree->files.v[i] = tree->files.v[--tree->files.n];
		return;
	}
}

static void put(struct config_tree *tree, const char *path, const char *text, size_t len)
{
	struct oid blob = {0};
	struct hash hash;
	unsigned char digest[HASH_SIZE];

	config_remove(tree, path);
	if (!len)
		return;
	hash_init(&hash);
	hash_add(&hash, text, len);
	hash_final(&hash, digest);
	memcpy(blob.raw, digest, sizeof blob.raw);
	VEC_PUSH(&tree->files, file_decode(path, &blob, text, len));
}

void config_put(struct config_tree *tree, const char *path, const char *text)
{
	put(tree, path, text, strlen(text));
}

void config_put_all(struct config_tree *tree, const char *text)
{
	static const char mark[] = ">>> ";

	while (*text) {
		size_t line = strcspn(text, "\n");
		AUTO_FREE char *path = mem_strndup(text + strlen(mark), line - strlen(mark));
		const char *body = text + line + 1, *end;

		assert_true(str_starts(text, mark));
		end = strstr(body, "\n>>> ");
		end = str_starts(body, mark) ? body : end ? end + 1 : body + strlen(body);
		put(tree, path, body, (size_t)(end - body));
		text = end;
	}
}

void config_put_file(struct config_tree *tree, const char *path)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	struct err err = ERR_INIT;

	assert_done(fs_read(path, BUF_MAX_TEXT, &text, &err), err);
	config_put_all(tree, buf_str(&text));
}

struct model *config_model(const struct config_tree *tree, struct diags *diags)
{
	struct model *model;

	for (size_t i = 0; i < tree->files.n; i++)
		diags_append(diags, tree->files.v[i]->diags, tree->files.v[i]->diags_n);
	model = model_build(tree->files.v, tree->files.n, diags);
	check_model(model, NULL, diags);
	return model;
}

char *config_errors(struct diags *diags)
{
	struct buf out = BUF_INIT(BUF_MAX_TEXT);

	diags_sort(diags);
	for (size_t i = 0; i < diags->n; i++) {
		const struct diag *diag = &diags->v[i];

		if (diag->severity != DIAG_ERROR)
			continue;
		buf_addf(&out, "%s:%u %s", diag->path ? diag->path : "-", (unsigned)diag->at.line,
			 diag_code_name(diag->code));
		if (diag->unit.project)
			buf_addf(&out, " %s", diag->unit.project);
		if (diag->unit.stage)
			buf_addf(&out, "/%s", diag->unit.stage);
		buf_addc(&out, '\n');
	}
	return buf_take(&out);
}
