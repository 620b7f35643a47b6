#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "surface/cli/view.h"

static json_t *step_json(const struct ledger_step *step)
{
	char text[CLOCK_TEXT_MAX];
	json_t *json = json_object();
	json_put_str(json, "op", step->op);
	json_put_str(json, "name", step->name);
	json_put_str(json, "at", clock_format(step->intent_ms, text));
	json_put_str(json, "result", !step->result_ms ? "unknown" : step->ok ? "done" : "failed");
	json_put_str(json, "detail", step->detail && *step->detail ? step->detail : NULL);
	return json;
}

static json_t *record_json(struct cli *cli, const struct record *record)
{
	json_t *json = view_record_json(record), *list = json_array();
	struct ledger_step *steps = NULL;
	size_t n = 0;
	json_t *content = record->content ? json_read(record->content, strlen(record->content),
						      BUF_MAX_TEXT, NULL)
					  : NULL;
	json_put_str(json, "parent", record->parent);
	json_put_str(json, "sourceId", record->source_id);
	json_put_str(json, "inputId", record->input_id);
	json_put_str(json, "releaseId", record->release_id);
	json_object_set_new(json, "content", content ? content : json_null());
	if (ledger_view_steps(cli->state_dir, record->id, cli->arena, &steps, &n, NULL) == 0)
		for (size_t i = 0; i < n; i++)
			json_array_append_new(list, step_json(&steps[i]));
	json_object_set_new(json, "steps", list);
	return json;
}

static void put_line(struct cli *cli, const json_t *json, const char *label, const char *key)
{
	const char *text = json_str(json, key, NULL);
	if (text && *text)
		buf_addf(&cli->out, "%-12s %s\n", label, text);
}

static void put_containers(struct cli *cli, const json_t *content)
{
	size_t i;
	json_t *container;
	json_array_foreach(json_object_get(content, "containers"), i, container)
	{
		AUTO_BUF struct buf config = BUF_INIT(BUF_MAX_TEXT);
		json_write(json_object_get(container, "config"), &config);
		buf_addf(&cli->out, "container    %s: %s %.19s\n             %s\n",
			 json_str(container, "name", ""), json_str(container, "image", ""),
			 json_str(container, "digest", "unresolved"), buf_str(&config));
	}
}

static void put_steps(struct cli *cli, const json_t *steps)
{
	size_t i;
	json_t *step;
	json_array_foreach(steps, i, step)
	{
		const char *detail = json_str(step, "detail", NULL);
		const char *name = json_str(step, "name", "");
		buf_addf(&cli->out, "step         %s %s%s%s: %s%s%s\n", json_str(step, "at", ""),
			 json_str(step, "op", ""), *name ? " " : "", name,
			 json_str(step, "result", ""), detail ? ": " : "", detail ? detail : "");
	}
}

static void put_error(struct cli *cli, const json_t *error)
{
	if (!json_is_object(error))
		return;
	buf_addf(&cli->out, "error        %s: %s\n", json_str(error, "step", "?"),
		 json_str(error, "message", ""));
	view_put_log(cli, json_str(error, "log", NULL), "             | ");
}

static void put_record(struct cli *cli, const json_t *json)
{
	static const char *const lines[][2] = {
		{"project", "project"},	  {"stage", "stage"},	      {"deployment", "deployment"},
		{"product", "product"},	  {"version", "version"},     {"type", "versionType"},
		{"node", "node"},	  {"prefix", "prefix"},	      {"status", "status"},
		{"reason", "reason"},	  {"commit", "commit"},	      {"author", "author"},
		{"started", "startedAt"}, {"finished", "finishedAt"}, {"release", "releaseId"},
	};
	buf_addf(&cli->out, "%-12s %lld%s\n", "record", (long long)json_int(json, "id", 0),
		 json_flag(json, "active", false) ? " (active)" : "");
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		put_line(cli, json, lines[i][0], lines[i][1]);
	put_error(cli, json_object_get(json, "error"));
	put_containers(cli, json_object_get(json, "content"));
	put_steps(cli, json_object_get(json, "steps"));
}

/* By name: the record that serves, or the newest where none does. */
static const struct record *choose(const struct record **found, size_t n)
{
	for (size_t i = n; i-- > 0;)
		if (found[i]->active)
			return found[i];
	return found[n - 1];
}

int cmd_deployment_info(struct cli *cli)
{
	struct ledger_view *view = NULL;
	const struct record **found;
	size_t n;
	int code = EXIT_DONE;
	if (view_open(cli, VIEW_RECORDS | VIEW_CONTENT, &view, &code) < 0)
		return code;
	code = view_find(cli, view, cli->args[0], &found, &n);
	if (code == EXIT_DONE) {
		json_t *json = record_json(cli, choose(found, n));
		if (cli->json) {
			cli_put_json(cli, json);
		} else {
			put_record(cli, json);
			json_decref(json);
		}
	}
	ledger_view_close(&view);
	return code;
}
