#include "base/sys.h"
#include "source/repo.h"

#include "base/vec.h"
#include "source/gitlib.h"
#include "source/history_walk.h"

#define HISTORY_MAX 1000	       /* commits that one question looks at */
#define MESSAGE_MAX ((size_t)64 << 10) /* bytes of a message that are kept */

/* ---------------------------------------------------------------- one commit */

static const char *clean(struct arena *arena, const char *text)
{
	struct buf out AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	size_t len = text ? strlen(text) : 0;

	if (len > MESSAGE_MAX)
		len = MESSAGE_MAX;
	buf_add_clean(&out, text, len);
	return arena_strdup(arena, buf_str(&out));
}

static void describe(git_commit *commit, struct arena *arena, struct commit_info *out)
{
	const git_signature *author = git_commit_author(commit);
	char *name AUTO_FREE = mem_printf("%s <%s>", author->name, author->email);
	size_t subject_len;

	*out = (struct commit_info){
		.id = gitlib_id_back(git_commit_id(commit)),
		.author = clean(arena, name),
		.message = clean(arena, git_commit_message(commit)),
		.when_ms = author->when.time * 1000,
		.parents = git_commit_parentcount(commit),
	};
	subject_len = strcspn(out->message, "\n");
	out->subject = arena_strndup(arena, out->message, subject_len);
}

int repo_commit(struct repo *repo, const struct oid *id, struct arena *arena,
		struct commit_info *out, struct err *err)
{
	git_commit *commit AUTO_GIT(git_commit) = NULL;

	if (gitlib_commit(repo, id, &commit, err) != 0)
		return -1;
	describe(commit, arena, out);
	return 0;
}

/* ---------------------------------------------------------------- from tip back to base */

int repo_descends(struct repo *repo, const struct oid *tip, const struct oid *base, struct err *err)
{
	struct history history AUTO_HISTORY = {0};

	if (oid_eq(tip, base))
		return 1;
	if (history_walk(&history, repo, tip, base, 0, err) != 0)
		return -1;
	return history.base_is_ancestor ? 1 : 0;
}

struct texts {
	VEC(const char *) list;
};

static void texts_release(struct texts *texts)
{
	VEC_FREE(&texts->list);
}

static int add_trailers(git_commit *commit, const char *key, struct arena *arena, struct texts *out)
{
	git_message_trailer_array found = {0};

	if (git_message_trailers(&found, git_commit_message(commit)) != 0)
		return -1;
	for (size_t i = 0; i < found.count; i++) {
		if (strcasecmp(found.trailers[i].key, key) == 0)
			VEC_PUSH(&out->list, clean(arena, found.trailers[i].value));
	}
	git_message_trailer_array_free(&found);
	return 0;
}

int repo_trailers(struct repo *repo, const struct oid *tip, const struct oid *base, const char *key,
		  struct arena *arena, const char ***values, size_t *n, struct err *err)
{
	struct history history AUTO_HISTORY = {0};
	struct texts texts CLEANUP(texts_release) = {0};

	if (history_walk(&history, repo, tip, base, base ? HISTORY_MAX : 1, err) != 0)
		return -1;
	for (size_t i = 0; i < history.between.n; i++) {
		git_commit *commit AUTO_GIT(git_commit) = NULL;

		if (gitlib_commit(repo, &history.between.v[i], &commit, err) != 0)
			return -1;
		if (add_trailers(commit, key, arena, &texts) != 0)
			return gitlib_fail(err, E_REPO_UNREADABLE, "a commit's trailers");
	}
	*n = texts.list.n;
	*values = arena_memdup(arena, texts.list.v, texts.list.n * sizeof *texts.list.v);
	return 0;
}

/* ---------------------------------------------------------------- who touched it */

struct side {
	git_tree *tree; /* NULL: before the first commit there is nothing */
};

static void side_release(struct side *side)
{
	git_tree_free(side->tree);
}

/* The id of what stands at path; all zero for nothing. */
static git_oid id_at(const struct side *side, const char *path)
{
	git_tree_entry *entry AUTO_GIT(git_tree_entry) = NULL;
	git_oid none = {{0}};

	if (!side->tree || git_tree_entry_bypath(&entry, side->tree, path) != 0)
		return none;
	return *git_tree_entry_id(entry);
}

static int load_side(git_commit *commit, struct side *out, struct err *err)
{
	if (git_commit_tree(&out->tree, commit) != 0)
		return gitlib_fail(err, E_REPO_UNREADABLE, "the tree of a commit");
	return 0;
}

/* 1, 0 or -1; for a commit with one parent or none. */
static int touches(git_commit *commit, const char *const *paths, size_t n, struct err *err)
{
	struct side after CLEANUP(side_release) = {0}, before CLEANUP(side_release) = {0};
	git_commit *parent AUTO_GIT(git_commit) = NULL;

	if (git_commit_parentcount(commit) == 1 && git_commit_parent(&parent, commit, 0) != 0)
		return 0; /* it is known to have been there, and what it held is gone */
	if (load_side(commit, &after, err) != 0 || (parent && load_side(parent, &before, err) != 0))
		return -1;
	for (size_t i = 0; i < n; i++) {
		git_oid a = id_at(&after, paths[i]), b = id_at(&before, paths[i]);

		if (!git_oid_equal(&a, &b))
			return 1;
	}
	return 0;
}

int repo_last_touch(struct repo *repo, const struct oid *tip, const struct oid *base,
		    const char *const *paths, size_t n, struct arena *arena,
		    struct commit_info *out, struct err *err)
{
	struct history history AUTO_HISTORY = {0};

	if (history_walk(&history, repo, tip, base, HISTORY_MAX, err) != 0)
		return -1;
	for (size_t i = 0; i < history.between.n; i++) {
		git_commit *commit AUTO_GIT(git_commit) = NULL;
		int touched;

		if (gitlib_commit(repo, &history.between.v[i], &commit, err) != 0)
			return -1;
		if (git_commit_parentcount(commit) > 1)
			continue;
		touched = touches(commit, paths, n, err);
		if (touched < 0)
			return -1;
		if (touched) {
			describe(commit, arena, out);
			return 0;
		}
	}
	return repo_commit(repo, tip, arena, out, err);
}
