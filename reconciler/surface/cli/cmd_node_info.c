#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "surface/cli/live.h"
#include "surface/cli/status.h"

/* ---- what is known of it ---- */

/* From the ledger: as it was seen last. */
static json_t *known_json(struct cli *cli, const struct ledger_view *view, const char *name)
{
	AUTO_JSON json_t *status = status_json(cli, view);
	size_t i;
	json_t *node, *slot, *found = NULL, *deployments = json_array();
	json_array_foreach(json_object_get(status, "nodes"), i, node)
	{
		if (str_eq(json_str(node, "name", ""), name))
			found = json_incref(node);
	}
	json_array_foreach(json_object_get(status, "deployments"), i, slot)
	{
		if (found && str_eq(json_str(slot, "node", ""), name))
			json_array_append(deployments, slot);
	}
	if (found)
		json_object_set(found, "deployments", deployments);
	json_decref(deployments);
	return found;
}

static int take_live(void *arg, const json_t *value)
{
	json_t *node = arg;
	const char *note = json_str(value, "note", NULL);
	if (note)
		cli_say("trueup: %s", note);
	else
		json_object_update(node, (void *)(uintptr_t)value);
	return 0;
}

/* From the node itself, where a reconciler runs that can be asked. */
static void add_live(struct cli *cli, json_t *node)
{
	struct err err = ERR_INIT;
	AUTO_JSON json_t *answer = NULL;
	AUTO_JSON json_t *args = json_object();
	int exit;
	json_put_str(args, "node", json_str(node, "name", ""));
	if (control_stream(cli->state_dir, "node", args, take_live, node, -1, &answer, &exit,
			   &err) < 0)
		cli_say("trueup: %s: this is what was seen last", err.text);
}

/* ---- for people ---- */

static void put_line(struct cli *cli, const char *label, const char *text)
{
	if (text && *text)
		buf_addf(&cli->out, "%-12s %s\n", label, text);
}

static void put_names(struct cli *cli, const char *label, const json_t *names)
{
	size_t i;
	json_t *name;
	json_array_foreach(names, i, name) put_line(cli, i ? "" : label, json_string_value(name));
}

static void put_deployments(struct cli *cli, const json_t *deployments)
{
	size_t i;
	json_t *slot;
	json_array_foreach(deployments, i, slot)
	{
		AUTO_FREE char *text =
			mem_printf("%s/%s/%s %s, %s, %s", json_str(slot, "project", ""),
				   json_str(slot, "stage", ""), json_str(slot, "deployment", ""),
				   json_str(slot, "version", "-"), json_str(slot, "status", ""),
				   json_str(slot, "health", ""));
		put_line(cli, i ? "" : "deployments", text);
	}
}

static void put_containers(struct cli *cli, const json_t *containers)
{
	size_t i;
	json_t *one;
	json_array_foreach(containers, i, one)
	{
		AUTO_FREE char *text = mem_printf("%s: %s", json_str(one, "container", ""),
						  json_str(one, "detail", ""));
		put_line(cli, i ? "" : "containers", text);
	}
}

static void put_drift(struct cli *cli, const json_t *drift)
{
	size_t i;
	json_t *one;
	json_array_foreach(drift, i, one)
	{
		AUTO_FREE char *text =
			mem_printf("%s: %s is %s, wanted %s", json_str(one, "container", ""),
				   json_str(one, "field", ""), json_str(one, "found", "?"),
				   json_str(one, "wanted", "?"));
		put_line(cli, i ? "" : "drift", text);
	}
}

static void put_node(struct cli *cli, const json_t *node)
{
	char time[CLOCK_TEXT_MAX];
	int64_t seen_ms = 0;
	clock_parse(json_str(node, "seenAt", ""), &seen_ms);
	put_line(cli, "node", json_str(node, "name", ""));
	put_line(cli, "driver", json_str(node, "driver", "-"));
	put_line(cli, "engine", json_str(node, "engine", NULL));
	put_line(cli, "endpoint", json_str(node, "endpoint", NULL));
	put_line(cli, "reachable", json_flag(node, "reachable", false) ? "yes" : "no");
	put_line(cli, "changed", view_time(seen_ms, time));
	put_line(cli, "error", json_str(node, "error", NULL));
	put_line(cli, "owner", json_str(node, "owner", NULL));
	put_deployments(cli, json_object_get(node, "deployments"));
	put_containers(cli, json_object_get(node, "containers"));
	put_drift(cli, json_object_get(node, "drift"));
	put_names(cli, "volumes", json_object_get(node, "volumes"));
	put_names(cli, "images", json_object_get(node, "images"));
	put_names(cli, "not ours", json_object_get(node, "foreign"));
}

int cmd_node_info(struct cli *cli)
{
	struct ledger_view *view = NULL;
	struct err err = ERR_INIT;
	int code = EXIT_DONE;
	if (view_open(cli, VIEW_STATUS, &view, &code) < 0)
		return code;
	AUTO_JSON json_t *node = known_json(cli, view, cli->args[0]);
	ledger_view_close(&view);
	if (!node) {
		err_set(&err, E_NOT_FOUND, "no node %s was seen; trueup node lists those that were",
			cli->args[0]);
		return cli_fail(cli, &err);
	}
	add_live(cli, node);
	if (cli->json)
		cli_put_json(cli, json_incref(node));
	else
		put_node(cli, node);
	return EXIT_DONE;
}
