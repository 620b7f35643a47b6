#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"
#include "base/oid.h"
#include "surface/cli/view.h"

static json_t *entry_json(const struct audit_entry *entry)
{
	char time[CLOCK_TEXT_MAX];
	json_t *json = json_object();
	json_object_set_new(json, "id", json_integer(entry->id));
	json_put_str(json, "at", clock_format(entry->when_ms, time));
	json_put_str(json, "actor", entry->actor);
	json_put_str(json, "action", entry->action);
	json_put_str(json, "subject", entry->subject);
	json_put_str(json, "detail", entry->detail);
	json_put_str(json, "hash", entry->hash);
	return json;
}

static int verify(struct cli *cli)
{
	struct err err = ERR_INIT;
	size_t entries = 0;
	if (audit_verify(cli->state_dir, &entries, &err) < 0)
		return cli_fail(cli, &err);
	if (cli->json)
		cli_put_json(cli,
			     json_pack("{s:b,s:I}", "whole", 1, "entries", (json_int_t)entries));
	else
		buf_addf(&cli->out, "%zu entries, the chain is whole\n", entries);
	return EXIT_DONE;
}

/* Names without their addresses, commits as short as elsewhere: --json has them whole. */
static const char *short_actor(struct arena *arena, const char *actor)
{
	const char *address = strstr(actor, " <");
	return address ? arena_strndup(arena, actor, (size_t)(address - actor)) : actor;
}

static const char *short_subject(struct arena *arena, const char *subject)
{
	struct oid commit;
	return oid_parse(subject, &commit) == 0 ? arena_strndup(arena, subject, 12) : subject;
}

static void put_entries(struct cli *cli, const struct audit_entry *entries, size_t n)
{
	AUTO_BUF struct buf rows = BUF_INIT(BUF_MAX_OUTPUT);
	buf_adds(&rows, "TIME\tACTOR\tACTION\tSUBJECT\t\n");
	for (size_t i = 0; i < n; i++) {
		char time[CLOCK_TEXT_MAX];
		buf_addf(&rows, "%s\t%s\t%s\t%s\t%s\n", view_time(entries[i].when_ms, time),
			 short_actor(cli->arena, entries[i].actor), entries[i].action,
			 short_subject(cli->arena, entries[i].subject),
			 entries[i].detail ? entries[i].detail : "");
	}
	if (n)
		cli_table(cli, buf_str(&rows));
	else
		buf_adds(&cli->out, "No entries.\n");
}

static void put_export(struct cli *cli, const struct audit_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO_JSON json_t *json = entry_json(&entries[i]);
		json_write(json, &cli->out);
		buf_addc(&cli->out, '\n');
	}
}

int cmd_audit(struct cli *cli)
{
	struct audit_query query = {.actor = cli->value[FLAG_ACTOR]};
	struct audit_entry *entries = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;
	const char *since = cli->value[FLAG_SINCE];
	if (cli->given[FLAG_VERIFY])
		return verify(cli);
	if (since && view_parse_time(since, &query.since_ms) < 0)
		return cli_usage(cli, "--since %s: give 2h, 7d or an RFC 3339 time", since);
	if (audit_read(cli->state_dir, &query, cli->arena, &entries, &n, &err) < 0)
		return cli_fail(cli, &err);
	if (cli->given[FLAG_EXPORT]) {
		put_export(cli, entries, n);
	} else if (cli->json) {
		json_t *list = json_array();
		for (size_t i = 0; i < n; i++)
			json_array_append_new(list, entry_json(&entries[i]));
		cli_put_json(cli, list);
	} else {
		put_entries(cli, entries, n);
	}
	return EXIT_DONE;
}
