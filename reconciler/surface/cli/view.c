#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/num.h"
#include "schema/check.h"
#include "surface/cli/view.h"

int view_open(struct cli *cli, unsigned parts, struct ledger_view **view, int *code)
{
	struct err err = ERR_INIT;
	if (ledger_view_open(cli->state_dir, parts, view, &err) == 0)
		return 0;
	*code = cli_fail(cli, &err);
	return -1;
}

bool view_matches(const struct cli *cli, const struct slot_key *slot)
{
	const char *project = cli->value[FLAG_PROJECT], *stage = cli->value[FLAG_STAGE],
		   *node = cli->value[FLAG_NODE];
	return (!project || str_eq(project, slot->project)) &&
	       (!stage || str_eq(stage, slot->stage)) && (!node || str_eq(node, slot->node));
}

static json_t *time_json(int64_t wall_ms)
{
	char text[CLOCK_TEXT_MAX];
	return wall_ms ? json_string(clock_format(wall_ms, text)) : json_null();
}

static json_t *error_json(const struct record *record)
{
	if (!record->error_code)
		return json_null();
	json_t *json = json_object();
	json_put_str(json, "code", record->error_code);
	json_put_str(json, "step", record->error_step);
	json_put_str(json, "message", record->error_text);
	json_put_str(json, "log", record->error_log);
	return json;
}

json_t *view_record_json(const struct record *record)
{
	json_t *json = json_object();
	json_object_set_new(json, "id", json_integer(record->id));
	json_put_str(json, "project", record->slot.project);
	json_put_str(json, "stage", record->slot.stage);
	json_put_str(json, "deployment", record->slot.deployment);
	json_put_str(json, "product", record->product);
	json_put_str(json, "version", record->version);
	json_put_str(json, "versionType",
		     record->type == VERSION_INCREMENTAL ? "incremental" : "rolling");
	json_put_str(json, "node", record->slot.node);
	json_put_str(json, "prefix", record->prefix);
	json_put_str(json, "status", record_status_word(record->status));
	json_put_str(json, "reason", record->reason);
	json_object_set_new(json, "active", json_boolean(record->active));
	json_put_str(json, "commit", record->commit);
	json_put_str(json, "author", record->author);
	json_object_set_new(json, "tries", json_integer(record->tries));
	json_object_set_new(json, "startedAt", time_json(record->started_ms));
	json_object_set_new(json, "finishedAt", time_json(record->finished_ms));
	json_object_set_new(json, "error", error_json(record));
	return json;
}

/* While a node cannot be worked on its slots wait for it, whatever was written of them before. */
static void wait_for_node(const struct ledger_view *view, const char *name, json_t *state)
{
	for (size_t i = 0; i < view->nodes_n; i++) {
		if (!str_eq(view->nodes[i].node, name))
			continue;
		AUTO_JSON json_t *node = json_read(view->nodes[i].json, strlen(view->nodes[i].json),
						   BUF_MAX_TEXT, NULL);
		const char *why = json_str(node, "error", NULL);
		if (!why)
			return;
		json_t *waiting = json_object();
		json_put_str(waiting, "reason", "node-unreachable");
		json_put_str(waiting, "detail", why);
		json_put_str(waiting, "since", json_str(node, "seenAt", NULL));
		json_object_set_new(state, "waiting", waiting);
	}
}

json_t *view_slot_state(const struct ledger_view *view, const struct slot_key *slot)
{
	for (size_t i = 0; i < view->slots_n; i++)
		if (slot_key_cmp(&view->slots[i].slot, slot) == 0) {
			json_t *state = json_read(view->slots[i].json, strlen(view->slots[i].json),
						  BUF_MAX_TEXT, NULL);
			wait_for_node(view, slot->node, state);
			return state;
		}
	return NULL;
}

void view_put_hints(struct cli *cli, const json_t *containers, const char *margin)
{
	size_t i;
	json_t *container;
	json_array_foreach(containers, i, container)
	{
		const char *hint = json_str(container, "hint", NULL);
		if (hint)
			buf_addf(&cli->out, "%s%s: %s\n", margin, json_str(container, "name", "?"),
				 hint);
	}
}

void view_put_tags(struct cli *cli, const json_t *tags, const char *margin)
{
	size_t i;
	json_t *tag;
	json_array_foreach(tags, i, tag)
	{
		buf_addf(&cli->out, "%s%s: %s means %.19s since %s, and not %.19s: %s\n", margin,
			 json_str(tag, "container", "?"), json_str(tag, "image", "?"),
			 json_str(tag, "to", "?"), json_str(tag, "since", "?"),
			 json_str(tag, "from", "?"), json_str(tag, "hint", ""));
	}
}

const char *view_slot_name(const struct slot_key *slot, char out[256])
{
	snprintf(out, 256, "%s/%s/%s", slot->project, slot->stage, slot->deployment);
	return out;
}

const char *view_time(int64_t wall_ms, char *out)
{
	if (!wall_ms) {
		snprintf(out, CLOCK_TEXT_MAX, "-");
		return out;
	}
	clock_format(wall_ms, out);
	out[10] = ' ';
	out[19] = 'Z';
	out[20] = '\0';
	return out;
}

const char *view_ago(int64_t wall_ms, char *out)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}};
	int64_t ago = clock_wall_ms() - wall_ms;
	snprintf(out, CLOCK_TEXT_MAX, "%s", wall_ms ? "now" : "-");
	for (size_t i = 0; wall_ms && i < ARRAY_LEN(units); i++)
		if (ago >= units[i].ms) {
			snprintf(out, CLOCK_TEXT_MAX, "%lld%s ago", (long long)(ago / units[i].ms),
				 units[i].unit);
			break;
		}
	return out;
}

void view_put_log(struct cli *cli, const char *log, const char *margin)
{
	while (log && *log) {
		size_t len = strcspn(log, "\n");
		buf_adds(&cli->out, margin);
		buf_add_clean(&cli->out, log, len);
		buf_addc(&cli->out, '\n');
		log += len + (log[len] == '\n');
	}
}

/* ---- finding a deployment ---- */

static bool is_named(const struct record *record, const char *argument)
{
	char name[256];
	return str_eq(argument, record->slot.deployment) ||
	       str_eq(argument, view_slot_name(&record->slot, name));
}

static int find_by_id(const struct ledger_view *view, int64_t id, const struct record **out,
		      size_t *n)
{
	for (size_t i = 0; i < view->records_n; i++)
		if (view->records[i].id == id) {
			out[(*n)++] = &view->records[i];
			return EXIT_DONE;
		}
	cli_say("trueup: there is no record %lld", (long long)id);
	return EXIT_NOT_FOUND;
}

/* With one slash or more it is compared with whole names, else with deployments' own. */
static const char *nearest_name(struct cli *cli, const struct ledger_view *view,
				const char *argument)
{
	const char **names = ARENA_ARRAY(cli->arena, view->records_n + 1, const char *);
	char name[256];
	for (size_t i = 0; i < view->records_n; i++) {
		const struct slot_key *slot = &view->records[i].slot;
		names[i] = strchr(argument, '/')
				   ? arena_strdup(cli->arena, view_slot_name(slot, name))
				   : slot->deployment;
	}
	return check_nearest(argument, names, view->records_n);
}

static int not_found(struct cli *cli, const struct ledger_view *view, const char *argument)
{
	const char *near = nearest_name(cli, view, argument);
	if (near && str_eq(near, argument))
		cli_say("trueup: there is no deployment %s in this scope", argument);
	else
		cli_say("trueup: there is no deployment %s%s%s%s", argument,
			near ? ": did you mean " : "", near ? near : "", near ? "?" : "");
	return EXIT_NOT_FOUND;
}

static int check_unique(struct cli *cli, const struct ledger_view *view,
			const struct record **found, size_t n, const char *argument)
{
	AUTO_MAP struct map names = {0};
	AUTO_BUF struct buf choices = BUF_INIT(BUF_MAX_LINE);
	for (size_t i = 0; i < n; i++) {
		char name[256];
		if (map_put(&names, view_slot_name(&found[i]->slot, name),
			    (void *)(uintptr_t)argument))
			continue;
		buf_addf(&choices, "%s%s", choices.len ? ", " : "", name);
	}
	if (names.count == 1)
		return EXIT_DONE;
	if (names.count == 0)
		return not_found(cli, view, argument);
	cli_say("trueup: %s could be %s", argument, buf_str(&choices));
	return EXIT_USAGE;
}

int view_find(struct cli *cli, const struct ledger_view *view, const char *argument,
	      const struct record ***out, size_t *n)
{
	int64_t id;
	const struct record **found =
		ARENA_ARRAY(cli->arena, view->records_n + 1, const struct record *);
	*out = found;
	*n = 0;
	bool is_whole = strchr(argument, '/') && !cli->value[FLAG_NODE];
	if (num_parse_int(argument, 1, INT64_MAX, &id) == 0)
		return find_by_id(view, id, found, n);
	for (size_t i = 0; i < view->records_n; i++)
		if (is_named(&view->records[i], argument) &&
		    (is_whole || view_matches(cli, &view->records[i].slot)))
			found[(*n)++] = &view->records[i];
	return check_unique(cli, view, found, *n, argument);
}

int view_parse_time(const char *text, int64_t *wall_ms)
{
	int64_t ago;
	if (num_parse_duration(text, &ago) == 0) {
		*wall_ms = clock_wall_ms() - ago;
		return 0;
	}
	return clock_parse(text, wall_ms);
}
