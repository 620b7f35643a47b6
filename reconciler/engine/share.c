#include "base/sys.h"

#include "engine/share.h"
#include "schema/kinds.h"

struct desired *share_desired(const struct engine *engine, const char *node, struct arena *arena)
{
	const struct desired *all = engine->tip.outcome.desired;
	struct desired *own = ARENA_NEW(arena, struct desired);
	own->slots = ARENA_ARRAY(arena, all->slots_n + 1, const struct slot *);
	for (size_t i = 0; i < all->slots_n; i++)
		if (str_eq(all->slots[i]->key.node, node))
			own->slots[own->slots_n++] = all->slots[i];
	return own;
}

/*
 * When a slot is gone from the commit, so is what its manifest said about its volumes: it is kept
 * as a small value beside the ledger's records.
 */
static void policy_key(const struct slot_key *key, char out[SLOT_ID_MAX + 16])
{
	char id[SLOT_ID_MAX];
	snprintf(out, SLOT_ID_MAX + 16, "dataPolicy %s", slot_id(key, id));
}

static enum data_policy_value kept_policy(struct engine *engine, const struct slot_key *key,
					  struct arena *arena)
{
	char name[SLOT_ID_MAX + 16];
	const char *value = NULL;
	policy_key(key, name);
	ledger_get(engine->ledger, name, arena, &value, NULL);
	return value ? DATA_DELETE : DATA_KEEP;
}

struct history *share_history(struct engine *engine, const struct history *all, const char *node,
			      struct arena *arena)
{
	struct history *past = ARENA_NEW(arena, struct history);
	*past = *all;
	past->records = ARENA_ARRAY(arena, all->records_n + 1, struct record);
	past->records_n = 0;
	for (size_t i = 0; i < all->records_n; i++) {
		if (!str_eq(all->records[i].slot.node, node))
			continue;
		struct record *record = &past->records[past->records_n++];
		*record = all->records[i];
		if (record->active)
			record->data_policy = kept_policy(engine, &record->slot, arena);
		/* A record whose content cannot be read is left alone by the plan. */
		ledger_content(engine->ledger, record->id, arena, &record->content, NULL);
	}
	return past;
}

int share_keep_policy(struct engine *engine, const struct slot *slot, struct slot_run *run,
		      struct err *err)
{
	char name[SLOT_ID_MAX + 16];
	bool deletes = KIND_OR(slot->deployment, deployment, data_policy) == DATA_DELETE;
	if (run->deletes_data == deletes)
		return 0;
	if (engine_write(engine, err) < 0)
		return -1;
	run->deletes_data = deletes;
	policy_key(&slot->key, name);
	return ledger_put(engine->ledger, name, deletes ? "delete" : NULL, err);
}
