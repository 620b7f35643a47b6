#include "base/sys.h"
#include "plan/order.h"

#include "plan/content.h"
#include "schema/semver.h"

/* ---- the slots of a stage ---- */

struct slots {
	const struct slot *const *v;
	size_t n;
};

/* They stand together. */
static struct slots slots_of_stage(const struct desired *desired, const struct slot_key *key)
{
	const struct slot_key first = {key->project, key->stage, "", ""};
	size_t low = desired_first(desired, &first), end;

	for (end = low; end < desired->slots_n; end++) {
		const struct slot_key *other = &desired->slots[end]->key;

		if (!str_eq(other->project, key->project) || !str_eq(other->stage, key->stage))
			break;
	}
	return (struct slots){desired->slots + low, end - low};
}

static bool provides(const struct slot *slot, const char *product)
{
	return !slot->product->from.derived && str_eq(slot->product->name, product);
}

/* Has the node of the stage a slot of the product? Then only that one counts for its neighbours. */
static bool is_on_node(const struct slots *slots, const char *product, const char *node)
{
	for (size_t i = 0; i < slots->n; i++) {
		if (provides(slots->v[i], product) && str_eq(slots->v[i]->key.node, node))
			return true;
	}
	return false;
}

/* ---- where a slot goes ---- */

static bool is_changing(enum decision_kind kind)
{
	return kind == DECIDE_NEW || kind == DECIDE_START || kind == DECIDE_CONTINUE;
}

static bool goes_down(const struct record *active, const struct slot *slot)
{
	struct semver from, to;

	return active && str_eq(active->product, slot->product->name) &&
	       semver_parse(active->version, &from) && semver_parse(slot->version_name, &to) &&
	       semver_cmp(&to, &from) < 0;
}

static bool fits(const char *version, const char *range)
{
	struct semver parsed;

	return semver_parse(version, &parsed) && semver_fits(&parsed, range);
}

/* ---- going up ---- */

/* One that goes down is never waited for: what requires it goes first. */
static bool is_ready(const struct order *order, const struct slot *provider, const char *range)
{
	struct decision decision;

	lifecycle_decide(provider, order->history, &decision);
	if (decision.kind == DECIDE_KEEP || goes_down(decision.active, provider))
		return true;
	if (is_changing(decision.kind))
		return false;
	/* Its change failed, and what was there before serves. */
	return decision.active && str_eq(decision.active->product, provider->product->name) &&
	       fits(decision.active->version, range);
}

const char *order_going_up(const struct order *order, const struct slot *slot)
{
	const struct pairs *requires = &slot->content.requires;
	struct slots stage;

	if (!requires->n)
		return NULL;
	stage = slots_of_stage(order->desired, &slot->key);
	for (size_t i = 0; i < requires->n; i++) {
		bool beside = is_on_node(&stage, requires->key[i], slot->key.node);

		for (size_t j = 0; j < stage.n; j++) {
			const struct slot *other = stage.v[j];

			if (!provides(other, requires->key[i]) ||
			    (beside && !str_eq(other->key.node, slot->key.node)) ||
			    is_ready(order, other, requires->value[i]))
				continue;
			return arena_printf(order->arena, "%s %s on %s is not successful yet",
					    other->key.deployment, other->version_name,
					    other->key.node);
		}
	}
	return NULL;
}

/* ---- going down ---- */

struct leaving {
	const struct order *order;
	const struct record *active; /* of the provider, which is to go */
	const char *version;	     /* that comes instead; NULL: none */
	struct slots stage;
};

/* What the record's version requires of the provider's product; NULL: nothing. */
static const char *range_of(const struct leaving *leaving, const struct record *record)
{
	const struct order *order = leaving->order;
	const char *json = order->content(order->arg, record, order->arena);
	struct content content;

	if (!json || content_read(json, order->arena, &content, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < content.requires.n; i++) {
		if (str_eq(content.requires.key[i], leaving->active->product))
			return content.requires.value[i];
	}
	return NULL;
}

static bool is_still_to_change(const struct order *order, const struct slot_key *key)
{
	const struct slot *slot = desired_find(order->desired, key);
	struct decision decision;

	if (!slot)
		return true;
	lifecycle_decide(slot, order->history, &decision);
	return is_changing(decision.kind);
}

/* Is it of this provider that the record's version wants something? */
static bool is_beside(const struct leaving *leaving, const struct record *record)
{
	return str_eq(record->slot.node, leaving->active->slot.node) ||
	       !is_on_node(&leaving->stage, leaving->active->product, record->slot.node);
}

/* Does this record have to go first? */
static const char *needs_it(const struct leaving *leaving, const struct record *record)
{
	const struct slot_key *mine = &leaving->active->slot, *other = &record->slot;
	const char *range;

	if (!record->active || !str_eq(other->project, mine->project) ||
	    !str_eq(other->stage, mine->stage) || slot_key_cmp(other, mine) == 0 ||
	    !is_beside(leaving, record))
		return NULL;
	range = range_of(leaving, record);
	if (!range || (leaving->version && fits(leaving->version, range) &&
		       !is_still_to_change(leaving->order, other)))
		return NULL;
	return arena_printf(leaving->order->arena, "%s%s%s on %s requires %s \"%s\" and goes first",
			    other->deployment, record->version ? " " : "",
			    record->version ? record->version : "", other->node,
			    leaving->active->product, range);
}

const char *order_going_down(const struct order *order, const struct record *active,
			     const struct slot *slot)
{
	struct leaving leaving = {.order = order, .active = active};
	const char *needed = NULL;

	if (!active)
		return NULL;
	leaving.stage = slots_of_stage(order->desired, &active->slot);
	if (slot && provides(slot, active->product)) {
		if (!goes_down(active, slot))
			return NULL;
		leaving.version = slot->version_name;
	} else {
		/* Another deployment takes its place. */
		for (size_t i = 0; i < leaving.stage.n; i++) {
			if (provides(leaving.stage.v[i], active->product))
				return NULL;
		}
	}
	for (size_t i = 0; i < order->history->records_n && !needed; i++)
		needed = needs_it(&leaving, &order->history->records[i]);
	return needed;
}
