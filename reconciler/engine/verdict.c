#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/records.h"
#include "engine/verdict.h"

static void put_oid(struct engine *engine, const char *key, const struct oid *id)
{
	char hex[OID_HEX_SIZE];
	ledger_put(engine->ledger, key, oid_hex(id, hex), NULL);
}

static void write_unit(struct engine *engine, const struct unit *unit, const struct oid *accepted,
		       const struct oid *refused, const struct diag *diags, size_t diags_n)
{
	char accepted_hex[OID_HEX_SIZE], refused_hex[OID_HEX_SIZE];
	AUTO_JSON json_t *json = diags_json(diags, diags_n);
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);
	json_write(json, &text);
	struct ledger_unit row = {
		.unit = *unit,
		.accepted = oid_is_zero(accepted) ? NULL : oid_hex(accepted, accepted_hex),
		.refused = oid_hex(refused, refused_hex),
		.diagnostics = buf_str(&text),
	};
	ledger_put_unit(engine->ledger, &row, NULL);
}

/* ---- refused as a whole ---- */

void verdict_refused(struct engine *engine, enum diag_code code, const char *message,
		     const char *hint)
{
	struct tip *tip = &engine->tip;
	char hex[OID_HEX_SIZE];
	struct unit unit = {.level = UNIT_ORGANIZATION};
	struct diag diag = {.code = code, .unit = unit, .message = message, .hint = hint};
	oid_hex(&tip->loading, hex);
	log_event(LOG_WARN, "commit refused", "commit", hex, "code", diag_code_name(code), "reason",
		  message, NULL);
	if (engine_write(engine, NULL) == 0) {
		write_unit(engine, &unit, &tip->accepted, &tip->loading, &diag, 1);
		put_oid(engine, "tip", &tip->loading);
		ledger_audit(engine->ledger, "trueup", "refuse", hex, message, clock_wall_ms(),
			     NULL);
	}
	tip->seen = tip->loading;
	tip->refusal = (struct diag){.code = code, .unit = unit};
	snprintf(tip->refusal_text, sizeof tip->refusal_text, "%s", message);
	tip->refusal.message = tip->refusal_text;
}

/* ---- judged by units ---- */

static void log_refusal(struct engine *engine, const struct accept_unit *unit, const char *commit)
{
	struct diags diags = {0};
	diags_append(&diags, unit->diags, unit->diags_n);
	diags_excerpts(&diags, tip_read_file, engine);
	for (size_t i = 0; i < diags.n; i++) {
		AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);
		diag_render(&diags.v[i], DIAG_PLAIN, &text);
		log_event(LOG_WARN, "refused", "commit", commit, "project", unit->unit.project,
			  "stage", unit->unit.stage, "diagnostic", buf_str(&text), NULL);
	}
	diags_release(&diags);
}

/* The commit that a unit's documents in force come from, when it is held now. */
static struct oid accepted_of(struct engine *engine, const struct unit *unit)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct ledger_unit *rows;
	size_t n = 0;
	struct oid id = engine->tip.base;
	if (ledger_units(engine->ledger, arena, &rows, &n, NULL) < 0)
		return id;
	for (size_t i = 0; i < n; i++)
		if (unit_cmp(&rows[i].unit, unit) == 0 && rows[i].refused) {
			memset(&id, 0, sizeof id);
			if (rows[i].accepted)
				oid_parse(rows[i].accepted, &id);
		}
	return id;
}

static void write_units(struct engine *engine, const struct accept_outcome *outcome)
{
	char hex[OID_HEX_SIZE];
	oid_hex(&engine->tip.loading, hex);
	for (size_t i = 0; i < outcome->units_n; i++) {
		const struct accept_unit *unit = &outcome->units[i];
		if (unit->held) {
			struct oid accepted = accepted_of(engine, &unit->unit);
			write_unit(engine, &unit->unit, &accepted, &engine->tip.loading,
				   unit->diags, unit->diags_n);
			log_refusal(engine, unit, hex);
			ledger_audit(engine->ledger, "trueup", "hold", hex,
				     unit->diags_n ? unit->diags[0].message : "", clock_wall_ms(),
				     NULL);
		} else if (unit->gone) {
			/* Its removal passed the guard: remembered until its slots are gone. */
			struct ledger_unit row = {.unit = unit->unit};
			ledger_put_unit(engine->ledger, &row, NULL);
		} else {
			ledger_drop_unit(engine->ledger, &unit->unit, NULL);
		}
	}
}

static void set_owner(struct engine *engine, const struct accept_outcome *outcome)
{
	/* The name it had first stays in the owner mark: renaming the organization orphans nothing.
	 */
	if (engine->owner[0] || !outcome->model->organization)
		return;
	snprintf(engine->owner, sizeof engine->owner, "%s/%s", outcome->model->organization->name,
		 engine->state.instance);
	ledger_put(engine->ledger, "owner", engine->owner, NULL);
}

void verdict_in_force(struct engine *engine, struct accept_outcome *outcome)
{
	struct tip *tip = &engine->tip;
	const struct unit organization = {.level = UNIT_ORGANIZATION};
	const struct accept_unit *top = accept_find(outcome, &organization);
	char hex[OID_HEX_SIZE], took[TIP_TOOK_MAX];
	struct accept_outcome before = tip->outcome;
	write_units(engine, outcome);
	set_owner(engine, outcome);
	tip->outcome = *outcome;
	tip->seen = tip->loading;
	put_oid(engine, "tip", &tip->seen);
	if (outcome->accepted) {
		tip->base = tip->loading;
		put_oid(engine, "base", &tip->base);
	}
	if (top && !top->held) {
		tip->accepted = tip->loading;
		put_oid(engine, "accepted", &tip->accepted);
	}
	/* So that status can tell a slot that has no record yet from one that nobody wants. */
	ledger_put(engine->ledger, "slots", log_int((int64_t)outcome->desired->slots_n), NULL);
	log_event(LOG_INFO, "commit in force", "commit", oid_hex(&tip->seen, hex), "slots",
		  log_int((int64_t)outcome->desired->slots_n), "ms", tip_took(tip->began_us, took),
		  NULL);
	/* The organization was accepted without these nodes: the guard has let them go. */
	if (top && !top->held)
		records_detach(engine, NULL);
	nodes_follow(engine, before.desired);
	tip->planning_us = tip->began_us;
	if (before.arena)
		accept_outcome_release(&before);
}
