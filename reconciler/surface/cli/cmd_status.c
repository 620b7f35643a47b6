#include "base/sys.h"

#include "base/json.h"
#include "surface/cli/live.h"
#include "surface/cli/status.h"

static void put_head(struct cli *cli, const json_t *status)
{
	const char *commit = json_str(status, "commit", NULL);
	if (!commit) {
		buf_addf(&cli->out, "No reconciler has run with the state directory %s yet.\n",
			 cli->state_dir);
		return;
	}
	buf_addf(&cli->out, "%s at %.12s: %s\n", json_str(status, "branch", "?"), commit,
		 json_flag(status, "synced", false) ? "synced" : "not synced");
	const char *problem = json_str(status, "problem", NULL);
	if (problem)
		buf_addf(&cli->out, "The repository cannot be read now: %s\n", problem);
}

/* What a person should know besides the status: one short remark. */
static const char *remark(const json_t *slot, char *out, size_t size)
{
	const json_t *waiting = json_object_get(slot, "waiting");
	const json_t *wanted = json_object_get(slot, "wanted");
	const json_t *pull = json_object_get(slot, "pull");
	if (json_is_object(pull)) {
		AUTO_BUF struct buf words = BUF_INIT(BUF_MAX_LINE);
		live_put_pull(pull, &words);
		snprintf(out, size, "%s", buf_str(&words));
	} else if (json_is_object(wanted) &&
		   (json_str(wanted, "error", NULL) || !json_is_object(waiting))) {
		const char *version = json_str(wanted, "version", NULL);
		const char *error = json_str(wanted, "error", NULL);
		snprintf(out, size, "%s %s%s%s", version ? version : "the new one",
			 json_str(wanted, "status", "is wanted"), error ? ": " : "",
			 error ? error : "");
	} else if (json_is_object(waiting)) {
		const char *detail = json_str(waiting, "detail", NULL);
		snprintf(out, size, "waiting: %s%s%s", json_str(waiting, "reason", ""),
			 detail ? ": " : "", detail ? detail : "");
	} else {
		snprintf(out, size, "%s", "");
	}
	return out;
}

static bool has_scope(const struct cli *cli)
{
	return cli->value[FLAG_PROJECT] || cli->value[FLAG_STAGE] || cli->value[FLAG_NODE];
}

static void put_slots(struct cli *cli, const json_t *slots)
{
	AUTO_BUF struct buf rows = BUF_INIT(BUF_MAX_OUTPUT);
	size_t i;
	json_t *slot;
	buf_adds(&rows, "DEPLOYMENT\tVERSION\tNODE\tSTATUS\tHEALTH\t\n");
	json_array_foreach(slots, i, slot)
	{
		char text[256];
		buf_addf(&rows, "%s/%s/%s\t%s\t%s\t%s\t%s\t%s\n", json_str(slot, "project", ""),
			 json_str(slot, "stage", ""), json_str(slot, "deployment", ""),
			 json_str(slot, "version", "-"), json_str(slot, "node", ""),
			 json_str(slot, "status", ""), json_str(slot, "health", ""),
			 remark(slot, text, sizeof text));
	}
	buf_addc(&cli->out, '\n');
	if (json_array_size(slots))
		cli_table(cli, buf_str(&rows));
	else if (has_scope(cli))
		buf_adds(&cli->out, "Nothing in that scope is deployed.\n");
	else
		buf_adds(&cli->out, "Nothing is deployed.\n");
}

static void put_hints(struct cli *cli, const json_t *slots)
{
	size_t i;
	json_t *slot;
	json_array_foreach(slots, i, slot)
	{
		view_put_hints(cli, json_object_get(slot, "containers"), "\n");
		view_put_tags(cli, json_object_get(slot, "tags"), "\n");
	}
}

static void put_rejected(struct cli *cli, const json_t *rejected)
{
	size_t i, d;
	json_t *unit, *diagnostic;
	json_array_foreach(rejected, i, unit)
	{
		const char *project = json_str(unit, "project", NULL);
		const char *stage = json_str(unit, "stage", NULL);
		buf_addf(&cli->out, "\nRefused in %.12s: %s%s%s\n", json_str(unit, "commit", ""),
			 project ? project : "the organization", stage ? "/" : "",
			 stage ? stage : "");
		json_array_foreach(json_object_get(unit, "diagnostics"), d, diagnostic)
		{
			const char *file = json_str(diagnostic, "file", NULL);
			const char *hint = json_str(diagnostic, "hint", NULL);
			if (file)
				buf_addf(&cli->out, "  %s:%lld: ", file,
					 (long long)json_int(diagnostic, "line", 0));
			else
				buf_adds(&cli->out, "  ");
			buf_addf(&cli->out, "%s [%s]\n", json_str(diagnostic, "message", ""),
				 json_str(diagnostic, "code", ""));
			if (hint)
				buf_addf(&cli->out, "    %s\n", hint);
		}
	}
}

static void put_nodes(struct cli *cli, const json_t *nodes)
{
	size_t i, d;
	json_t *node, *drift;
	json_array_foreach(nodes, i, node)
	{
		const char *error = json_str(node, "error", NULL);
		if (error)
			buf_addf(&cli->out, "\nNode %s: %s\n", json_str(node, "name", ""), error);
		json_array_foreach(json_object_get(node, "drift"), d, drift)
			buf_addf(&cli->out, "\nDrift on %s: %s: %s is %s, wanted %s\n",
				 json_str(node, "name", ""), json_str(drift, "container", ""),
				 json_str(drift, "field", ""), json_str(drift, "found", "unset"),
				 json_str(drift, "wanted", "unset"));
	}
}

int cmd_status(struct cli *cli)
{
	struct ledger_view *view = NULL;
	int code = EXIT_DONE;
	if (view_open(cli, VIEW_STATUS, &view, &code) < 0)
		return code;
	AUTO_JSON json_t *status = status_json(cli, view);
	ledger_view_close(&view);
	if (cli->json) {
		cli_put_json(cli, json_incref(status));
		return EXIT_DONE;
	}
	put_head(cli, status);
	put_slots(cli, json_object_get(status, "deployments"));
	put_hints(cli, json_object_get(status, "deployments"));
	put_rejected(cli, json_object_get(status, "rejected"));
	put_nodes(cli, json_object_get(status, "nodes"));
	return EXIT_DONE;
}
