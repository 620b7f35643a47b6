/*
 * floor.c - the least time that the libraries alone need, to measure trueup against.
 *
 *	floor REPOSITORY OLD NEW
 *
 * Prints three numbers of milliseconds: reading every *.yaml blob of NEW with libgit2 and scanning
 * it into tokens with libyaml; the difference of the trees of OLD and NEW with libgit2; and, of the
 * processor, libyaml's events of the same blobs once they are in memory. OLD and NEW are full
 * commit ids. Nothing is kept, checked or decoded, and nothing of trueup is in this program.
 */
#include "base/sys.h"

#include <git2/blob.h>
#include <git2/commit.h>
#include <git2/diff.h>
#include <git2/errors.h>
#include <git2/global.h>
#include <git2/repository.h>
#include <git2/tree.h>
#include <yaml.h>

static double ms_of(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double now_ms(void)
{
	return ms_of(CLOCK_MONOTONIC);
}

static void need(int status, const char *what)
{
	if (status >= 0)
		return;
	const git_error *error = git_error_last();
	fprintf(stderr, "floor: %s: %s\n", what, error ? error->message : "?");
	exit(EXIT_FAILURE);
}

static void scan(const git_blob *blob)
{
	yaml_parser_t parser;
	yaml_token_t token;
	bool end = false;
	yaml_parser_initialize(&parser);
	yaml_parser_set_input_string(&parser, git_blob_rawcontent(blob),
				     (size_t)git_blob_rawsize(blob));
	while (!end) {
		need(yaml_parser_scan(&parser, &token) ? 0 : -1, "scan");
		end = token.type == YAML_STREAM_END_TOKEN;
		yaml_token_delete(&token);
	}
	yaml_parser_delete(&parser);
}

static void take_events(const git_blob *blob)
{
	yaml_parser_t parser;
	yaml_event_t event;
	bool end = false;
	yaml_parser_initialize(&parser);
	yaml_parser_set_input_string(&parser, git_blob_rawcontent(blob),
				     (size_t)git_blob_rawsize(blob));
	while (!end) {
		need(yaml_parser_parse(&parser, &event) ? 0 : -1, "parse");
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
}

static git_blob *blob_of(git_repository *repo, const git_tree_entry *entry)
{
	git_blob *blob;
	size_t len = strlen(git_tree_entry_name(entry));
	if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB || len < 5 ||
	    strcmp(git_tree_entry_name(entry) + len - 5, ".yaml") != 0)
		return NULL;
	need(git_blob_lookup(&blob, repo, git_tree_entry_id(entry)), "blob");
	return blob;
}

static int read_entry(const char *root UNUSED, const git_tree_entry *entry, void *arg)
{
	git_blob *blob = blob_of(arg, entry);
	if (blob)
		scan(blob);
	git_blob_free(blob);
	return 0;
}

static git_blob *kept[20000];
static size_t kept_n;

static int keep_entry(const char *root UNUSED, const git_tree_entry *entry, void *arg)
{
	git_blob *blob = blob_of(arg, entry);
	if (!blob)
		return 0;
	need(kept_n < ARRAY_LEN(kept) ? 0 : -1, "more files than there is room for");
	kept[kept_n++] = blob;
	return 0;
}

static double events_ms(git_repository *repo, const git_tree *tree)
{
	double start;
	need(git_tree_walk(tree, GIT_TREEWALK_PRE, keep_entry, repo), "walk");
	start = ms_of(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t i = 0; i < kept_n; i++)
		take_events(kept[i]);
	return ms_of(CLOCK_PROCESS_CPUTIME_ID) - start;
}

static git_tree *tree_of(git_repository *repo, const char *commit_id)
{
	git_oid id;
	git_commit *commit;
	git_tree *tree;
	need(git_oid_fromstr(&id, commit_id), "id");
	need(git_commit_lookup(&commit, repo, &id), "commit");
	need(git_commit_tree(&tree, commit), "tree");
	git_commit_free(commit);
	return tree;
}

int main(int argc, char **argv)
{
	git_repository *repo;
	git_diff *diff;
	if (argc != 4)
		return 64;
	git_libgit2_init();
	need(git_repository_open(&repo, argv[1]), "open");
	double start = now_ms();
	git_tree *new = tree_of(repo, argv[3]);
	need(git_tree_walk(new, GIT_TREEWALK_PRE, read_entry, repo), "walk");
	double read = now_ms();
	git_tree *old = tree_of(repo, argv[2]);
	need(git_diff_tree_to_tree(&diff, repo, old, new, NULL), "diff");
	double compared = now_ms();
	printf("%.1f %.1f %.1f\n", read - start, compared - read, events_ms(repo, new));
	git_diff_free(diff);
	git_tree_free(old);
	git_tree_free(new);
	git_repository_free(repo);
	git_libgit2_shutdown();
	return 0;
}
