#include "base/sys.h"
#include "plan/render.h"

#include <ctype.h>

#include "plan/render_parts.h"

#define VALUE_WIDTH 200

/*
 * Nothing that comes from a manifest or a node may be markup, a link or a mention: each sign that
 * Markdown or HTML could read is written as a character reference.
 */
static void add_escaped(struct buf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x80 && ispunct(c) && !strchr("-.,/", c))
			buf_addf(out, "&#%u;", c);
		else
			buf_addc(out, *text);
	}
}

static void add_text(struct buf *out, const char *text)
{
	AUTO_BUF struct buf value = BUF_INIT(BUF_MAX_TEXT);

	render_value(&value, text, VALUE_WIDTH);
	add_escaped(out, buf_str(&value));
}

/* Longer than a cell. */
static void add_sentence(struct buf *out, const char *text)
{
	AUTO_BUF struct buf value = BUF_INIT(BUF_MAX_TEXT);

	render_value(&value, text, BUF_MAX_LINE);
	add_escaped(out, buf_str(&value));
}

static void add_slot_name(struct buf *out, const struct slot_key *key)
{
	const char *const parts[] = {key->project, key->stage, key->deployment};

	for (size_t i = 0; i < ARRAY_LEN(parts) && key->deployment; i++) {
		buf_adds(out, i ? "/" : "");
		add_text(out, parts[i]);
	}
	buf_adds(out, key->deployment ? " on " : "");
	add_text(out, key->node);
}

/* ---- steps ---- */

static void add_step(struct buf *out, const struct slot_plan *slot, const struct step *step)
{
	buf_addf(out, "| %s %s | ",
		 step->action == STEP_CREATE ? "&#43;" : render_mark(step->action),
		 step_action_word(step->action));
	add_text(out, step->container);
	buf_adds(out, " | ");
	if (!str_eq(step->reason, slot->why))
		add_text(out, step->reason);
	if (step->hint) {
		buf_adds(out, str_eq(step->reason, slot->why) ? "" : "; ");
		add_text(out, step->hint);
	}
	buf_adds(out, " |\n");
}

static size_t count_fields(const struct slot_plan *slot)
{
	size_t n = 0;

	for (size_t i = 0; i < slot->steps_n; i++)
		n += slot->steps[i].fields_n;
	return n;
}

static void add_fields(struct buf *out, const struct slot_plan *slot)
{
	size_t n = count_fields(slot);

	if (n == 0)
		return;
	buf_addf(out, "\n<details><summary>%zu field%s</summary>\n\n", n, n == 1 ? "" : "s");
	buf_adds(out, "| container | field | from | to |\n|---|---|---|---|\n");
	for (size_t i = 0; i < slot->steps_n; i++) {
		const struct step *step = &slot->steps[i];

		for (size_t j = 0; j < step->fields_n; j++) {
			const char *const cells[] = {step->container, step->fields[j].field,
						     step->fields[j].from, step->fields[j].to};

			for (size_t k = 0; k < ARRAY_LEN(cells); k++) {
				buf_adds(out, "| ");
				add_text(out, cells[k]);
				buf_addc(out, ' ');
			}
			buf_adds(out, "|\n");
		}
	}
	buf_adds(out, "\n</details>\n");
}

static void add_slot(struct buf *out, const struct plan *plan, const struct slot_plan *slot)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	const char *then = render_transitions(slot, arena);
	const char *leave = render_leave(plan, slot), *outage = render_outage(slot);
	const char *drops = render_drops(slot);

	buf_adds(out, "\n#### ");
	add_slot_name(out, &slot->key);
	buf_adds(out, "\n\n");
	add_text(out, leave ? leave : render_headline(slot));
	buf_adds(out, "\n");
	if (slot->steps_n > 0)
		buf_adds(out, "\n| | container | why |\n|---|---|---|\n");
	for (size_t i = 0; i < slot->steps_n; i++)
		add_step(out, slot, &slot->steps[i]);
	add_fields(out, slot);
	if (outage && !leave) {
		buf_adds(out,
			 "\nStops, dropping its connections, before it starts anew (recreate: ");
		add_text(out, outage);
		buf_adds(out, ").\n");
	}
	if (drops && !leave)
		buf_addf(out, "\nConnections drop %s.\n", drops);
	if (slot->after_others)
		buf_adds(out, "\nOnly after the deployment is successful on its other nodes.\n");
	if (then) {
		buf_adds(out, "\nThen: ");
		add_sentence(out, then);
		buf_adds(out, ".\n");
	}
}

/* ---- the rest ---- */

static void add_refused(struct buf *out, const struct plan *plan)
{
	if (plan->refused_n > 0)
		buf_adds(out, "\n#### Refused\n\n");
	for (size_t i = 0; i < plan->refused_n; i++) {
		const struct diag *diag = &plan->refused[i];

		buf_adds(out, "- ");
		add_text(out, diag->path ? diag->path : "the commit");
		if (diag->at.line)
			buf_addf(out, ":%u:%u", diag->at.line, diag->at.column);
		buf_addf(out, " **%s** ", diag_code_name(diag->code));
		add_sentence(out, diag->message);
		if (diag->hint) {
			buf_adds(out, " (");
			add_sentence(out, diag->hint);
			buf_adds(out, ")");
		}
		buf_addc(out, '\n');
	}
}

static void add_notes(struct buf *out, const char *title, const struct plan_note *notes, size_t n)
{
	if (n == 0)
		return;
	buf_addf(out, "\n<details><summary>%s (%zu)</summary>\n\n", title, n);
	for (size_t i = 0; i < n; i++) {
		buf_adds(out, "- ");
		add_slot_name(out, &notes[i].slot);
		buf_addf(out, " (%s): ", notes[i].reason);
		add_sentence(out, notes[i].text);
		if (notes[i].hint) {
			buf_adds(out, "; by: ");
			add_sentence(out, notes[i].hint);
		}
		buf_addc(out, '\n');
	}
	buf_adds(out, "\n</details>\n");
}

static void add_left(struct buf *out, const struct plan *plan)
{
	if (plan->unclaimed_n > 0)
		buf_addf(out, "\n<details><summary>Unclaimed, left running (%zu)</summary>\n\n",
			 plan->unclaimed_n);
	for (size_t i = 0; i < plan->unclaimed_n; i++) {
		buf_adds(out, "- ");
		add_text(out, plan->unclaimed[i]->name);
		buf_adds(out, " on ");
		add_text(out, plan->unclaimed[i]->labels.node);
		buf_addc(out, '\n');
	}
	buf_adds(out, plan->unclaimed_n > 0 ? "\n</details>\n" : "");
	for (size_t i = 0; i < plan->unresolved_n; i++) {
		buf_adds(out, i ? "- " : "\nUnresolved images:\n\n- ");
		add_text(out, plan->unresolved[i].image);
		buf_adds(out, " on ");
		add_text(out, plan->unresolved[i].node);
		buf_addc(out, '\n');
	}
}

void plan_markdown(const struct plan *plan, struct buf *out)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	size_t n;
	const struct slot_plan **slots = render_slots(plan, arena, &n);

	buf_addf(out, "### trueup plan for `%.12s`\n\n**", plan->commit ? plan->commit : "nothing");
	render_summary(plan, out);
	buf_adds(out, "**\n\n");
	render_next(plan, out);
	buf_addc(out, '\n');
	for (size_t i = 0; i < n; i++)
		add_slot(out, plan, slots[i]);
	add_refused(out, plan);
	add_notes(out, "Held", plan->held, plan->held_n);
	add_notes(out, "Data", plan->data, plan->data_n);
	add_left(out, plan);
	buf_addf(out, "\n<sub>%s</sub>\n", plan->hash);
}
