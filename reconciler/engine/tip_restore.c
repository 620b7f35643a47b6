#include "base/sys.h"

#include "engine/core.h"
#include "schema/kinds.h"

/* After a restart: the documents in force are read again from where the ledger says they are. */

static int files_of(struct engine *engine, const struct oid *commit, struct file_set *out,
		    struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct tree tree;
	size_t max = (size_t)KIND_OR(engine->settings, settings, max_files);
	if (tree_list(engine->repo, commit, engine->settings->path, max, arena, &tree, err) < 0)
		return -1;
	struct load_request request = {.repo = engine->repo, .tree = &tree};
	return load_now(&request, out, err);
}

/* Held units go back to the documents of their own accepted commit. */
static int restore_held(struct engine *engine, struct file_set *force, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct ledger_unit *rows;
	size_t n = 0;
	if (ledger_units(engine->ledger, arena, &rows, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct oid id;
		struct file_set files = {0};
		if (!rows[i].refused)
			continue;
		if (rows[i].accepted && oid_parse(rows[i].accepted, &id) == 0 &&
		    files_of(engine, &id, &files, err) < 0)
			return -1;
		file_set_replace_unit(force, &files, &rows[i].unit);
		file_set_release(&files);
	}
	return 0;
}

static void read_oid(struct engine *engine, struct arena *arena, const char *key, struct oid *out)
{
	const char *text = NULL;
	memset(out, 0, sizeof *out);
	if (ledger_get(engine->ledger, key, arena, &text, NULL) == 0 && text)
		oid_parse(text, out);
}

int tip_restore(struct engine *engine, struct err *err)
{
	struct tip *tip = &engine->tip;
	AUTO_ARENA struct arena *arena = arena_new(0);
	const char *owner = NULL;
	tip->removals = (struct buf)BUF_INIT(BUF_MAX_TEXT);
	read_oid(engine, arena, "base", &tip->base);
	read_oid(engine, arena, "accepted", &tip->accepted);
	/* The id is in the state directory; the ledger knows the name that goes with it. */
	if (ledger_get(engine->ledger, "owner", arena, &owner, NULL) == 0 && owner &&
	    str_ends(owner, engine->state.instance))
		snprintf(engine->owner, sizeof engine->owner, "%s", owner);
	if (oid_is_zero(&tip->base))
		return 0;
	struct file_set force = {0};
	if (files_of(engine, &tip->base, &force, err) < 0 ||
	    restore_held(engine, &force, err) < 0) {
		file_set_release(&force);
		return err_wrap(err, "the documents in force cannot be read again");
	}
	/* They were accepted: they are in force as they are, whatever a newer check would say. */
	struct accept_input input = {
		.tip = &force, .in_force = &force, .history = engine_history(engine)};
	accept_run(&input, &tip->outcome);
	file_set_copy(&tip->files, &force);
	file_set_release(&force);
	nodes_follow(engine, NULL);
	return 0;
}
