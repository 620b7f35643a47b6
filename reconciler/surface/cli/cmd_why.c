#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "surface/cli/live.h"
#include "surface/cli/status.h"

/* ---- the story of one slot, oldest first ---- */

static const char *what_happened(const struct record *record, char *out, size_t size)
{
	/* The text of an error begins with the step it happened in, where that is one change. */
	const char *step = record->error_step;
	if (step && record->error_text && str_starts(record->error_text, step))
		step = NULL;
	if (record->error_text)
		snprintf(out, size, "%s%s%s: %s", record_status_word(record->status),
			 step ? " at " : "", step ? step : "", record->error_text);
	else
		snprintf(out, size, "%s%s%s%s", record_status_word(record->status),
			 record->reason ? " (" : "", record->reason ? record->reason : "",
			 record->reason ? ")" : "");
	return out;
}

static void put_record(struct cli *cli, const struct record *record)
{
	char time[CLOCK_TEXT_MAX], what[1024];
	buf_addf(&cli->out, "  %s  record %lld  %s%s%s\n", view_time(record->created_ms, time),
		 (long long)record->id, record->version ? record->version : record->product,
		 record->active ? "  serves" : "", record->tries > 1 ? "  (tried again)" : "");
	buf_addf(&cli->out, "    commit %.12s by %s\n", record->commit ? record->commit : "?",
		 record->author ? record->author : "unknown");
	buf_addf(&cli->out, "    %s\n", what_happened(record, what, sizeof what));
	view_put_log(cli, record->error_log, "      | ");
}

static void put_steps(struct cli *cli, const struct record *record)
{
	struct ledger_step *steps = NULL;
	size_t n = 0;
	if (ledger_view_steps(cli->state_dir, record->id, cli->arena, &steps, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		char time[CLOCK_TEXT_MAX];
		const struct ledger_step *step = &steps[i];
		const char *name = step->name ? step->name : "";
		bool failed = step->result_ms && !step->ok;
		buf_addf(&cli->out, "    %s  %s%s%s%s%s%s\n", view_time(step->intent_ms, time),
			 step->op, *name ? " " : "", name,
			 !step->result_ms ? ": result unknown" : "", failed ? ": " : "",
			 failed && step->detail ? step->detail : "");
	}
}

/* The containers that are not as they should be, in the driver's words. */
static void put_ailing(struct cli *cli, const json_t *containers)
{
	size_t i;
	json_t *container;
	json_array_foreach(containers, i, container)
	{
		const char *state = json_str(container, "state", "unknown");
		const char *health = json_str(container, "health", "none");
		const char *detail = json_str(container, "detail", NULL);
		bool is_up = str_eq(state, "running");
		if (is_up && (str_eq(health, "healthy") || str_eq(health, "none")))
			continue;
		buf_addf(&cli->out, "  %s: %s%s%s%s%s\n", json_str(container, "name", "?"), state,
			 is_up ? ", health " : "", is_up ? health : "", detail ? ": " : "",
			 detail ? detail : "");
	}
}

static void put_pull(struct cli *cli, const json_t *pull)
{
	if (!json_is_object(pull))
		return;
	AUTO_BUF struct buf words = BUF_INIT(BUF_MAX_LINE);
	live_put_pull(pull, &words);
	buf_addf(&cli->out, "It is %s (since %s).\n", buf_str(&words),
		 json_str(pull, "since", "?"));
}

static void put_now(struct cli *cli, const json_t *state, const json_t *pull, bool serves,
		    const char *name)
{
	const json_t *waiting = json_object_get(state, "waiting");
	const json_t *wanted = json_object_get(state, "wanted");
	if (json_is_object(wanted))
		buf_addf(&cli->out, "Wanted is %s (record %lld), which is %s%s%s.\n",
			 json_str(wanted, "version", "a new record"),
			 (long long)json_int(wanted, "id", 0), json_str(wanted, "status", "?"),
			 json_str(wanted, "error", NULL) ? ": " : "",
			 json_str(wanted, "error", ""));
	if (str_eq(json_str(wanted, "status", ""), "failed"))
		buf_addf(&cli->out,
			 "It is tried again when its inputs change, or by: trueup retry %s\n",
			 name);
	if (json_is_object(waiting))
		buf_addf(&cli->out, "It waits: %s: %s (since %s).\n",
			 json_str(waiting, "reason", ""), json_str(waiting, "detail", "-"),
			 json_str(waiting, "since", "?"));
	put_pull(cli, pull);
	if (!state)
		buf_adds(&cli->out, "It is not in the commit in force.\n");
	else if (str_eq(json_str(state, "health", ""), "empty"))
		buf_adds(&cli->out, "It has no container: nothing runs.\n");
	else if (serves)
		buf_addf(&cli->out, "What serves is %s.\n", json_str(state, "health", "unknown"));
	else
		buf_adds(&cli->out, "Nothing serves.\n");
	put_ailing(cli, json_object_get(state, "containers"));
	view_put_hints(cli, json_object_get(state, "containers"), "  ");
	view_put_tags(cli, json_object_get(state, "tags"), "  ");
}

static void put_slot(struct cli *cli, const struct ledger_view *view, const json_t *pulls,
		     const struct record **records, size_t n)
{
	char name[256];
	AUTO_JSON json_t *pull = live_pull_of(pulls, &records[0]->slot);
	AUTO_JSON json_t *state = view_slot_state(view, &records[0]->slot);
	buf_addf(&cli->out, "%s on %s\n", view_slot_name(&records[0]->slot, name),
		 records[0]->slot.node);
	bool serves = false;
	for (size_t i = 0; i < n; i++)
		serves |= records[i]->active;
	put_now(cli, state, pull, serves, name);
	buf_adds(&cli->out, "History, oldest first:\n");
	for (size_t i = 0; i < n; i++) {
		put_record(cli, records[i]);
		if (records[i]->active || i + 1 == n)
			put_steps(cli, records[i]);
	}
}

static json_t *slot_json(const struct ledger_view *view, const json_t *pulls,
			 const struct record **records, size_t n)
{
	json_t *list = json_array();
	json_t *state = view_slot_state(view, &records[0]->slot);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, view_record_json(records[i]));
	return json_pack("{s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "project", records[0]->slot.project,
			 "stage", records[0]->slot.stage, "deployment", records[0]->slot.deployment,
			 "node", records[0]->slot.node, "state", state ? state : json_null(),
			 "pull", live_pull_of(pulls, &records[0]->slot), "records", list);
}

/* ---- one slot after the other ---- */

static size_t same_slot(const struct record **records, size_t n)
{
	size_t same = 1;
	while (same < n && slot_key_cmp(&records[0]->slot, &records[same]->slot) == 0)
		same++;
	return same;
}

static int by_slot(const void *a, const void *b)
{
	const struct record *left = *(const struct record *const *)a;
	const struct record *right = *(const struct record *const *)b;
	int order = slot_key_cmp(&left->slot, &right->slot);
	return order ? order : left->id < right->id ? -1 : left->id > right->id;
}

int cmd_why(struct cli *cli)
{
	struct ledger_view *view = NULL;
	const struct record **found;
	size_t n;
	int code = EXIT_DONE;
	if (view_open(cli, VIEW_STATUS | VIEW_RECORDS, &view, &code) < 0)
		return code;
	code = view_find(cli, view, cli->args[0], &found, &n);
	json_t *slots = json_array();
	AUTO_JSON json_t *pulls = live_pulls(cli);
	if (code == EXIT_DONE)
		qsort(found, n, sizeof(*found), by_slot);
	for (size_t i = 0, same; code == EXIT_DONE && i < n; i += same) {
		same = same_slot(found + i, n - i);
		if (cli->json)
			json_array_append_new(slots, slot_json(view, pulls, found + i, same));
		else
			put_slot(cli, view, pulls, found + i, same);
	}
	if (cli->json && code == EXIT_DONE)
		cli_put_json(cli, json_pack("{s:O}", "slots", slots));
	json_decref(slots);
	ledger_view_close(&view);
	return code;
}
