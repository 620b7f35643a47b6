#include "base/sys.h"

#include "base/num.h"
#include "engine/named.h"
#include "schema/check.h"

void named_release(struct named *named)
{
	free(named->deployment);
	free(named->node);
	*named = (struct named){0};
}

/* ---- slots ---- */

static bool names_slot(const char *text, const struct slot_key *key)
{
	AUTO_FREE char *full = mem_printf("%s/%s/%s", key->project, key->stage, key->deployment);
	return str_eq(text, key->deployment) || str_eq(text, full);
}

bool named_has(const struct named *named, const struct slot_key *key)
{
	return names_slot(named->deployment, key) &&
	       (!named->node || str_eq(named->node, key->node));
}

/* ---- what a text means ---- */

static int count_deployments(const struct desired *desired, const char *text, struct buf *choices)
{
	int n = 0;
	const struct slot_key *last = NULL;
	for (size_t i = 0; i < desired->slots_n; i++) {
		const struct slot_key *key = &desired->slots[i]->key;
		bool same = last && str_eq(last->project, key->project) &&
			    str_eq(last->stage, key->stage) &&
			    str_eq(last->deployment, key->deployment);
		if (same || !names_slot(text, key))
			continue;
		buf_addf(choices, "%s%s/%s/%s", n ? ", " : "", key->project, key->stage,
			 key->deployment);
		last = key;
		n++;
	}
	return n;
}

/* A record's id stands for its slot. */
static const struct slot_key *slot_of_record(const struct history *history, const char *text)
{
	int64_t id;
	if (num_parse_int(text, 1, INT64_MAX, &id) < 0)
		return NULL;
	for (size_t i = 0; i < history->records_n; i++)
		if (history->records[i].id == id)
			return &history->records[i].slot;
	return NULL;
}

static void no_such_deployment(const struct desired *desired, const char *text, struct err *err)
{
	VEC(const char *) names = {0};
	for (size_t i = 0; desired && i < desired->slots_n; i++)
		VEC_PUSH(&names, desired->slots[i]->key.deployment);
	err_set(err, E_NOT_FOUND, "no deployment %s in the commit in force", text);
	check_suggest(text, names.v, names.n, err);
	VEC_FREE(&names);
}

static int check_named(const struct desired *desired, const char *text, struct err *err)
{
	AUTO_BUF struct buf choices = BUF_INIT(BUF_MAX_LINE);
	int n = desired ? count_deployments(desired, text, &choices) : 0;
	if (n > 1)
		return err_set(err, E_AMBIGUOUS, "%s could be %s", text, buf_str(&choices));
	if (n == 1)
		return 0;
	no_such_deployment(desired, text, err);
	return -1;
}

int named_find(struct engine *engine, const char *text, const char *node, struct named *out,
	       struct err *err)
{
	const struct history *history = engine_history(engine);
	const struct desired *desired = history ? engine->tip.outcome.desired : NULL;
	const struct slot_key *recorded = history ? slot_of_record(history, text) : NULL;
	if (recorded) {
		out->deployment = mem_printf("%s/%s/%s", recorded->project, recorded->stage,
					     recorded->deployment);
		node = recorded->node;
	} else {
		out->deployment = mem_strdup(text);
	}
	out->node = node ? mem_strdup(node) : NULL;
	return check_named(desired, out->deployment, err);
}
