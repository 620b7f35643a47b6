#include "base/sys.h"

#include "base/json.h"
#include "base/map.h"
#include "base/num.h"
#include "surface/cli/live.h"
#include "surface/cli/view.h"

#define LINES_USUAL 100
#define LINES_MAX 1000000

/* Colours of names on a terminal, one after the other: cyan, yellow, green, magenta, blue. */
static const int colours[] = {36, 33, 32, 35, 34};

struct log {
	struct cli *cli;
	struct map names; /* of containers -> a node of each */
	bool several;	  /* a line says whose it is */
	bool on_nodes;	  /* one name is on more than one node: it says where, too */
	size_t name_width, node_width;
	struct map labels; /* "name@node" -> its number plus one */
};

/* ---- whose a line is ---- */

static void take_names(struct log *log, const json_t *containers)
{
	size_t i;
	json_t *container;
	json_array_foreach(containers, i, container)
	{
		const char *name = json_str(container, "name", "");
		const char *node = json_str(container, "node", "");
		const char *known = map_get(&log->names, name);
		log->on_nodes |= known && !str_eq(known, node);
		if (!known)
			map_put(&log->names, name, arena_strdup(log->cli->arena, node));
		if (strlen(name) > log->name_width)
			log->name_width = strlen(name);
		if (strlen(node) > log->node_width)
			log->node_width = strlen(node);
	}
	log->several = log->on_nodes || log->names.count > 1;
}

static int colour_of(struct log *log, const char *label)
{
	uintptr_t number = (uintptr_t)map_get(&log->labels, label);
	if (!number) {
		number = log->labels.count + 1;
		map_put(&log->labels, label, (void *)number);
	}
	return colours[(number - 1) % ARRAY_LEN(colours)];
}

static void put_label(struct log *log, const json_t *line)
{
	const char *name = json_str(line, "container", "");
	AUTO_FREE char *label = log->on_nodes
					? mem_printf("%s@%s", name, json_str(line, "node", ""))
					: mem_strdup(name);
	struct buf *out = &log->cli->out;
	int width = (int)(log->name_width + (log->on_nodes ? 1 + log->node_width : 0));
	if (!log->several)
		return;
	if (log->cli->colour)
		buf_addf(out, "\033[%dm", colour_of(log, label));
	buf_addf(out, "%-*s", width, label);
	buf_adds(out, log->cli->colour ? "\033[0m | " : " | ");
}

/* ---- what comes ---- */

static void put_line(struct log *log, const json_t *line)
{
	if (log->cli->json) {
		json_write(line, &log->cli->out);
	} else {
		put_label(log, line);
		buf_adds(&log->cli->out, json_str(line, "line", ""));
	}
	buf_addc(&log->cli->out, '\n');
}

static int take(void *arg, const json_t *value)
{
	struct log *log = arg;
	const char *note = json_str(value, "note", NULL);
	const json_t *names = json_object_get(value, "containers");
	if (note) {
		cli_say("trueup: %s", note);
	} else if (names) {
		take_names(log, names);
		if (json_array_size(names) == 0)
			cli_say("no container of it is there");
	} else {
		put_line(log, value);
		cli_flush(log->cli);
	}
	return log->cli->out_closed ? -1 : 0;
}

/* ---- the command ---- */

static int read_flags(struct cli *cli, json_t *args)
{
	int64_t lines = LINES_USUAL, after_ms = 0;
	if (cli->value[FLAG_LINES] &&
	    num_parse_int(cli->value[FLAG_LINES], 0, LINES_MAX, &lines) < 0)
		return cli_usage(cli, "-n %s: not a number of lines, 0 to %d",
				 cli->value[FLAG_LINES], LINES_MAX);
	if (cli->value[FLAG_AFTER] && view_parse_time(cli->value[FLAG_AFTER], &after_ms) < 0)
		return cli_usage(cli,
				 "--after %s: neither a time like 2026-01-31T12:00:00Z nor how "
				 "long ago, like 10m",
				 cli->value[FLAG_AFTER]);
	json_object_set_new(args, "lines", json_integer(lines));
	json_object_set_new(args, "after_ms", json_integer(after_ms));
	json_object_set_new(args, "follow", json_boolean(cli->given[FLAG_FOLLOW]));
	json_put_str(args, "deployment", cli->args_n ? cli->args[0] : NULL);
	json_put_str(args, "project", cli_lookup(cli, FLAG_PROJECT));
	json_put_str(args, "stage", cli_lookup(cli, FLAG_STAGE));
	json_put_str(args, "node", cli->value[FLAG_NODE]);
	return EXIT_DONE;
}

int cmd_log(struct cli *cli)
{
	struct log log = {.cli = cli};
	json_t *args = json_object();
	int code = read_flags(cli, args);
	if (code == EXIT_DONE)
		code = live_stream(cli, "log", args, take, &log);
	else
		json_decref(args);
	map_release(&log.names);
	map_release(&log.labels);
	return code;
}
