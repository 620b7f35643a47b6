#include "base/sys.h"
#include "plan/render.h"

#include "plan/render_parts.h"

/* Below this a terminal is too narrow to be of use; above it lines get hard to read. */
#define WIDTH_MIN 40
#define WIDTH_DEFAULT 80
#define FIELD_NAME_MAX 24

enum paint { PLAIN, BOLD, DIM, GREEN, YELLOW, CYAN, RED, PAINTS };

static const char *const paints[PAINTS] = {
	[PLAIN] = "",	       [BOLD] = "\x1b[1m",  [DIM] = "\x1b[2m",	[GREEN] = "\x1b[32m",
	[YELLOW] = "\x1b[33m", [CYAN] = "\x1b[36m", [RED] = "\x1b[31m",
};
static const enum paint action_paints[STEP_ACTIONS] = {
	[STEP_NONE] = PLAIN,  [STEP_CREATE] = GREEN, [STEP_REPLACE] = YELLOW,
	[STEP_UPDATE] = CYAN, [STEP_RESTART] = CYAN, [STEP_REMOVE] = RED,
};

struct page {
	const struct plan *plan;
	struct arena *arena;
	struct buf *out;
	size_t width;
	bool colour;
};

static void paint(struct page *page, enum paint colour, const char *text)
{
	bool on = page->colour && colour != PLAIN;

	buf_adds(page->out, on ? paints[colour] : "");
	buf_add_clean(page->out, text, strlen(text));
	buf_adds(page->out, on ? "\x1b[0m" : "");
}

static void spaces(struct page *page, size_t n)
{
	while (n-- > 0)
		buf_addc(page->out, ' ');
}

/* Words, filled up to the page's width; the first line begins at `at`, the others at `indent`. */
static void fill(struct page *page, const char *text, size_t at, size_t indent)
{
	size_t start = at;

	while (*text) {
		size_t len = strcspn(text, " "), width = render_width(text, len);

		if (at > start && at + 1 + width > page->width) {
			buf_addc(page->out, '\n');
			spaces(page, indent);
			at = start = indent;
		} else if (at > start) {
			buf_addc(page->out, ' ');
			at++;
		}
		buf_add_clean(page->out, text, len);
		at += width;
		text += len + strspn(text + len, " ");
	}
	buf_addc(page->out, '\n');
}

static void section(struct page *page, const char *title)
{
	buf_addc(page->out, '\n');
	paint(page, BOLD, title);
	buf_addc(page->out, '\n');
}

/* ---- steps ---- */

static size_t field_name_width(const struct step *step)
{
	size_t width = 0;

	for (size_t i = 0; i < step->fields_n; i++) {
		size_t own = render_width(step->fields[i].field, strlen(step->fields[i].field));

		width = own > width ? own : width;
	}
	return width < FIELD_NAME_MAX ? width : FIELD_NAME_MAX;
}

static size_t value_width(const char *value)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);

	render_value(&text, value, SIZE_MAX);
	return render_width(buf_str(&text), text.len);
}

/* Old and new share what the line has left; what a short one does not need the other gets. */
static void share_room(size_t room, size_t from, size_t to, size_t *for_from, size_t *for_to)
{
	size_t half = room / 2;

	*for_from = from <= half ? from : half;
	*for_to = room - *for_from;
	if (to < *for_to) {
		*for_to = to;
		*for_from = room - to;
	}
}

static void print_field(struct page *page, const struct step *step, const struct field_diff *diff,
			size_t name_width)
{
	const size_t indent = 8, arrow = strlen(" -> ");
	size_t used = indent + name_width + 2 + arrow;
	size_t room = page->width > used + 16 ? page->width - used : 16;
	size_t own = render_width(diff->field, strlen(diff->field)), from, to;

	spaces(page, indent);
	render_value(page->out, diff->field, FIELD_NAME_MAX);
	spaces(page, 2 + (own < name_width ? name_width - own : 0));
	if (step->action == STEP_CREATE) {
		render_value(page->out, diff->to, room);
	} else {
		share_room(room, value_width(diff->from), value_width(diff->to), &from, &to);
		render_value(page->out, diff->from, from);
		buf_adds(page->out, " -> ");
		render_value(page->out, diff->to, to);
	}
	buf_addc(page->out, '\n');
}

static void print_step(struct page *page, const struct slot_plan *slot, const struct step *step)
{
	size_t names = field_name_width(step), at;
	const char *word = step_action_word(step->action);

	spaces(page, 4);
	paint(page, slot->leave ? DIM : action_paints[step->action],
	      arena_printf(page->arena, "%s %-7s %s", render_mark(step->action), word,
			   step->container));
	at = 4 + 10 + render_width(step->container, strlen(step->container));
	if (!str_eq(step->reason, slot->why)) {
		buf_adds(page->out, ": ");
		fill(page, step->reason, at + 2, 14);
	} else {
		buf_addc(page->out, '\n');
	}
	for (size_t i = 0; i < step->fields_n; i++)
		print_field(page, step, &step->fields[i], names);
	if (step->hint) {
		spaces(page, 8);
		fill(page, step->hint, 8, 8);
	}
}

/* ---- slots ---- */

static void print_line(struct page *page, const char *text)
{
	spaces(page, 4);
	fill(page, text, 4, 6);
}

static void print_slot(struct page *page, const struct slot_plan *slot)
{
	const char *leave = render_leave(page->plan, slot), *outage = render_outage(slot);
	const char *drops = render_drops(slot);
	const char *then = render_transitions(slot, page->arena);
	const char *name = arena_printf(page->arena, "%s/%s/%s", slot->key.project, slot->key.stage,
					slot->key.deployment);

	buf_adds(page->out, "  ");
	paint(page, BOLD, name);
	buf_adds(page->out, ": ");
	fill(page, leave ? leave : render_headline(slot), 4 + render_width(name, strlen(name)), 4);
	for (size_t i = 0; i < slot->steps_n; i++)
		print_step(page, slot, &slot->steps[i]);
	if (outage && !leave)
		print_line(page, arena_printf(page->arena,
					      "stops, dropping its connections, before it starts "
					      "anew (recreate: %s)",
					      outage));
	if (drops && !leave)
		print_line(page, arena_printf(page->arena, "connections drop %s", drops));
	if (slot->after_others)
		print_line(page, "only after the deployment is successful on its other nodes");
	if (then)
		print_line(page, arena_printf(page->arena, "then: %s", then));
}

static void print_slots(struct page *page)
{
	size_t n;
	const struct slot_plan **slots = render_slots(page->plan, page->arena, &n);
	const char *node = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!str_eq(node, slots[i]->key.node)) {
			node = slots[i]->key.node;
			section(page, node);
		}
		print_slot(page, slots[i]);
	}
}

/* ---- notes ---- */

static const char *slot_name(struct page *page, const struct slot_key *key)
{
	if (!key->deployment)
		return key->node;
	return arena_printf(page->arena, "%s/%s/%s on %s", key->project, key->stage,
			    key->deployment, key->node);
}

static void print_notes(struct page *page, const char *title, const struct plan_note *notes,
			size_t n)
{
	if (n > 0)
		section(page, title);
	for (size_t i = 0; i < n; i++) {
		const struct plan_note *note = &notes[i];

		buf_adds(page->out, "  ");
		fill(page,
		     arena_printf(page->arena, "%s (%s): %s", slot_name(page, &note->slot),
				  note->reason, note->text),
		     2, 4);
		if (note->hint) {
			spaces(page, 4);
			buf_add_clean(page->out, note->hint, strlen(note->hint));
			buf_addc(page->out, '\n');
		}
		if (note->path) {
			spaces(page, 4);
			paint(page, DIM,
			      arena_printf(page->arena, "%s:%u", note->path, note->at.line));
			buf_addc(page->out, '\n');
		}
	}
}

static void print_refused(struct page *page)
{
	if (page->plan->refused_n > 0)
		section(page, "! Refused");
	for (size_t i = 0; i < page->plan->refused_n; i++)
		diag_render(&page->plan->refused[i], page->colour ? DIAG_COLOUR : DIAG_PLAIN,
			    page->out);
}

static void print_unclaimed(struct page *page)
{
	if (page->plan->unclaimed_n > 0)
		section(page, "Unclaimed: ours, but of no deployment; left running");
	for (size_t i = 0; i < page->plan->unclaimed_n; i++) {
		const struct workload *workload = page->plan->unclaimed[i];

		buf_adds(page->out, "  ");
		fill(page,
		     arena_printf(page->arena, "%s on %s (%s/%s/%s)", workload->name,
				  workload->labels.node, workload->labels.project,
				  workload->labels.stage, workload->labels.deployment),
		     2, 4);
	}
}

static void print_unresolved(struct page *page)
{
	if (page->plan->unresolved_n > 0)
		section(page, "Unresolved: images that were not looked up or are not there");
	for (size_t i = 0; i < page->plan->unresolved_n; i++) {
		const struct digest_entry *entry = &page->plan->unresolved[i];

		buf_adds(page->out, "  ");
		fill(page,
		     arena_printf(page->arena, "%s on %s%s%s", entry->image, entry->node,
				  entry->error ? ": " : "", entry->error ? entry->error : ""),
		     2, 4);
	}
}

/* ---- the page ---- */

static bool nodes_were_asked(const struct plan *plan)
{
	for (size_t i = 0; i < plan->slots_n; i++) {
		if (plan->slots[i].slot && !plan->slots[i].node_known && !plan->slots[i].leave)
			return false;
	}
	return true;
}

static void print_title(struct page *page)
{
	const struct plan *plan = page->plan;
	const char *commit = plan->commit ? plan->commit : "nothing";

	paint(page, BOLD, arena_printf(page->arena, "Plan for %.12s", commit));
	if (plan->base && !str_eq(plan->base, plan->commit))
		buf_addf(page->out, ", after %.12s", plan->base);
	buf_addc(page->out, '\n');
	if (!nodes_were_asked(plan))
		fill(page, "Nodes were not asked: this is what the ledger says of them.", 0, 0);
}

void plan_text(const struct plan *plan, unsigned width, bool colour, struct buf *out)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_BUF struct buf next = BUF_INIT(BUF_MAX_LINE);
	struct page page = {.plan = plan,
			    .arena = arena,
			    .out = out,
			    .width = width ? width : WIDTH_DEFAULT,
			    .colour = colour};

	if (page.width < WIDTH_MIN)
		page.width = WIDTH_MIN;
	print_title(&page);
	print_slots(&page);
	print_refused(&page);
	print_notes(&page, "Held", plan->held, plan->held_n);
	print_notes(&page, "Data", plan->data, plan->data_n);
	print_unclaimed(&page);
	print_unresolved(&page);
	buf_addc(out, '\n');
	render_summary(plan, &next);
	buf_adds(&next, ".");
	fill(&page, buf_str(&next), 0, 0);
	buf_clear(&next);
	render_next(plan, &next);
	fill(&page, buf_str(&next), 0, 0);
}
