/*
 * decode.c - what decoding and checking cost; floor.c has libyaml's own pass over the same bytes.
 *
 *	decode REPOSITORY OLD NEW
 *
 * Two numbers of milliseconds of the processor, of one process, from bytes that are in memory:
 * decoding and checking every manifest of OLD; decoding and checking NEW on top of that.
 */
#include "base/sys.h"

#include "base/vec.h"
#include "schema/check.h"
#include "schema/decode.h"
#include "source/tree.h"

struct manifest {
	const char *path;
	struct oid blob;
	struct buf bytes;
};
typedef VEC(struct manifest) manifests;

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void need(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "decode: %s\n", what);
	exit(EXIT_FAILURE);
}

static void read_all(struct repo *repo, const char *hex, struct arena *arena, manifests *out)
{
	struct oid commit;
	struct tree tree;

	need(oid_parse(hex, &commit) == 0, "id");
	need(tree_list(repo, &commit, NULL, 0, arena, &tree, NULL) == 0, "list");
	for (size_t i = 0; i < tree.entries_n; i++) {
		struct manifest manifest = {tree.entries[i].path, tree.entries[i].blob,
					    BUF_INIT(REPO_OBJECT_MAX)};

		need(repo_blob(repo, &manifest.blob, REPO_OBJECT_MAX, &manifest.bytes, NULL) == 0,
		     "blob");
		VEC_PUSH(out, manifest);
	}
}

static struct file *decode(const struct manifest *manifest)
{
	return file_decode(manifest->path, &manifest->blob, buf_str(&manifest->bytes),
			   manifest->bytes.len);
}

static struct model *load(const manifests *all, struct file_set *set)
{
	AUTO_DIAGS struct diags diags = {0};
	struct file **files = mem_zalloc(all->n, sizeof(struct file *));
	struct model *model;

	for (size_t i = 0; i < all->n; i++)
		files[i] = decode(&all->v[i]);
	file_set_take(set, files, all->n);
	free(files);
	model = model_of(set, &diags);
	check_model(model, NULL, &diags);
	need(diags.errors == 0, "errors");
	return model;
}

/* The two listings have the same paths. */
static void load_change(const manifests *old, const manifests *new, const struct file_set *base_set,
			const struct model *base)
{
	struct file_set set;
	file_changes changes = {0};
	struct model *model;

	for (size_t i = 0; i < old->n; i++) {
		if (!oid_eq(&old->v[i].blob, &new->v[i].blob))
			VEC_PUSH(&changes,
				 ((struct file_change){base_set->v[i], decode(&new->v[i])}));
	}
	file_set_patch(&set, base_set, changes.v, changes.n);
	model = model_update(base, &set, changes.v, changes.n);
	need(model && check_still_holds(model, base, changes.v, changes.n, NULL), "change");
}

int main(int argc, char **argv)
{
	struct arena *arena = arena_new(0);
	manifests old = {0}, new = {0};
	struct file_set set;
	struct model *model;
	struct repo *repo = NULL;
	double start, loaded;

	need(argc == 4 && repo_open(argv[1], NULL, &repo, NULL) == 0, "repository");
	read_all(repo, argv[2], arena, &old);
	read_all(repo, argv[3], arena, &new);
	start = now_ms();
	model = load(&old, &set);
	loaded = now_ms();
	load_change(&old, &new, &set, model);
	printf("%.1f %.2f\n", loaded - start, now_ms() - loaded);
	return 0;
}
