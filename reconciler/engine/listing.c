#include "base/sys.h"

#include "engine/core.h"
#include "schema/kinds.h"

/*
 * A listing shares the paths that stayed with the one before it (tree.h), by address, and so needs
 * the arenas of all before it too. Now and then all texts move into one of its own.
 */
#define ARENAS_MAX 8

void listing_release(struct listing *listing)
{
	for (size_t i = 0; i < listing->arenas.n; i++)
		arena_free(listing->arenas.v[i]);
	VEC_FREE(&listing->arenas);
	*listing = (struct listing){0};
}

static void own_texts(struct tree *tree, struct arena *arena)
{
	for (size_t i = 0; i < tree->entries_n; i++)
		tree->entries[i].path = arena_strdup(arena, tree->entries[i].path);
	for (size_t i = 0; i < tree->problems_n; i++) {
		tree->problems[i].path = arena_strdup(arena, tree->problems[i].path);
		tree->problems[i].text = arena_strdup(arena, tree->problems[i].text);
	}
}

int listing_make(struct engine *engine, struct err *err)
{
	struct tip *tip = &engine->tip;
	const struct listing *before = &tip->listing;
	struct arena *arena = arena_new(0);
	size_t max = (size_t)KIND_OR(engine->settings, settings, max_files);
	const char *root = engine->settings->path;
	listing_release(&tip->next);
	VEC_PUSH(&tip->next.arenas, arena);
	tip->next.commit = tip->loading;
	return before->arenas.n ? tree_update(engine->repo, &before->commit, &before->tree,
					      &tip->loading, root, max, arena, &tip->next.tree, err)
				: tree_list(engine->repo, &tip->loading, root, max, arena,
					    &tip->next.tree, err);
}

void listing_adopt(struct tip *tip)
{
	struct listing before = tip->listing;
	tip->listing = tip->next;
	tip->next = (struct listing){0};
	if (before.arenas.n < ARENAS_MAX) {
		for (size_t i = 0; i < before.arenas.n; i++)
			VEC_PUSH(&tip->listing.arenas, before.arenas.v[i]);
		VEC_FREE(&before.arenas);
		return;
	}
	own_texts(&tip->listing.tree, tip->listing.arenas.v[0]);
	listing_release(&before);
}
