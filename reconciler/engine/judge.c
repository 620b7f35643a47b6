#include "base/sys.h"

#include "engine/judge.h"

/* The slots that are served now, by the ledger. */
static size_t serving_slots(const struct history *history, struct arena *arena,
			    struct slot_key **out)
{
	size_t n = 0;
	*out = ARENA_ARRAY(arena, history->records_n + 1, struct slot_key);
	for (size_t i = 0; i < history->records_n; i++)
		if (history->records[i].active)
			(*out)[n++] = history->records[i].slot;
	return n;
}

void judge_run(const struct judge_input *input, struct arena *arena, struct accept_outcome *outcome,
	       struct buf *removals)
{
	VEC(struct accept_hold) holds = {0};
	struct slot_key *serving;
	size_t serving_n = serving_slots(input->history, arena, &serving);
	struct accept_input accept = {
		.tip = input->tip,
		.in_force = input->before ? &input->before->in_force : NULL,
		.before = input->before,
		.problems = input->tree->problems,
		.problems_n = input->tree->problems_n,
		.history = input->history,
		.env = input->env,
	};
	struct guard_input guard = {
		.commit = input->commit,
		.serving = serving,
		.serving_n = serving_n,
		.before = input->before ? input->before->model : NULL,
		.before_desired = input->before ? input->before->desired : NULL,
		.outcome = outcome,
		.approvals = input->approvals,
		.approvals_n = input->approvals_n,
		.prune_trailers = input->prune_trailers,
		.prune_trailers_n = input->prune_trailers_n,
	};
	for (;;) {
		struct guard_outcome guarded;
		size_t known = holds.n;
		accept.holds = holds.v;
		accept.holds_n = holds.n;
		accept_run(&accept, outcome);
		guard_run(&guard, arena, &guarded);
		if (removals && known == 0) {
			buf_clear(removals);
			guard_removals_json(guarded.removals, guarded.removals_n, removals);
		}
		for (size_t i = 0; i < guarded.holds_n; i++) {
			const struct accept_unit *unit =
				accept_find(outcome, &guarded.holds[i].unit);
			if (unit && !unit->held)
				VEC_PUSH(&holds, guarded.holds[i]);
		}
		if (holds.n == known)
			break;
		accept_outcome_release(outcome);
	}
	VEC_FREE(&holds);
}
