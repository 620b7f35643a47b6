#include "base/sys.h"
#include "plan/plan_work.h"

#include "base/hash.h"

/*
 * What a plan would do, and what that rests on: the release that serves each slot now and the one
 * that is to serve, the steps with old and new values, the records and volumes that change. Not the
 * commit: the same change on another one is the same plan. Not words for people, and not what could
 * not be looked up.
 */
#define PLAN_HASH_FORMAT "1"

static void add_number(struct hash *hash, size_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", number);
	hash_add_text(hash, text);
}

static void add_step(struct hash *hash, const struct step *step)
{
	hash_add_text(hash, step_action_word(step->action));
	hash_add_text(hash, step->container);
	add_number(hash, step->fields_n);
	for (size_t i = 0; i < step->fields_n; i++) {
		hash_add_text(hash, step->fields[i].field);
		hash_add_text(hash, step->fields[i].from);
		hash_add_text(hash, step->fields[i].to);
	}
}

static void add_transition(struct hash *hash, const struct transition *transition)
{
	hash_add_text(hash, transition->version);
	hash_add_text(hash, record_status_word(transition->from));
	hash_add_text(hash, record_status_word(transition->to));
}

static bool says_something(const struct slot_plan *plan)
{
	return !plan->leave &&
	       (plan->steps_n > 0 || plan->transitions_n > 0 || plan->volumes_n > 0 ||
		plan->decision.kind == DECIDE_NEW || plan->decision.kind == DECIDE_START);
}

static void add_slot(struct hash *hash, const struct slot_plan *plan)
{
	const struct record *active = plan->decision.active;

	hash_add_text(hash, plan->key.project);
	hash_add_text(hash, plan->key.stage);
	hash_add_text(hash, plan->key.deployment);
	hash_add_text(hash, plan->key.node);
	hash_add_text(hash, active ? active->release_id : NULL);
	hash_add_text(hash, plan->serves ? plan->serves->input_id : NULL);
	hash_add_text(hash, plan->release_id[0] ? plan->release_id : NULL);
	add_number(hash, plan->steps_n);
	for (size_t i = 0; i < plan->steps_n; i++)
		add_step(hash, &plan->steps[i]);
	add_number(hash, plan->transitions_n);
	for (size_t i = 0; i < plan->transitions_n; i++)
		add_transition(hash, &plan->transitions[i]);
	add_number(hash, plan->volumes_n);
	for (size_t i = 0; i < plan->volumes_n; i++)
		hash_add_text(hash, plan->volumes[i]);
}

void plan_hash(const struct plan *plan, char out[HASH_HEX_SIZE])
{
	struct hash hash;

	hash_init(&hash);
	hash_add_text(&hash, PLAN_HASH_FORMAT);
	for (size_t i = 0; i < plan->slots_n; i++) {
		if (says_something(&plan->slots[i]))
			add_slot(&hash, &plan->slots[i]);
	}
	hash_final_hex(&hash, out);
}
