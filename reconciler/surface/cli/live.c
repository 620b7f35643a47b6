#include "base/sys.h"

#include <pwd.h>
#include <unistd.h>

#include "base/json.h"
#include "base/num.h"
#include "surface/cli/live.h"

#define WAIT_DEFAULT_MS 300000
#define ANSWER_MS 30000

static void say_diagnostics(const json_t *diagnostics)
{
	size_t i;
	json_t *one;
	json_array_foreach(diagnostics, i, one)
		cli_say("trueup: %s", json_str(one, "message", "refused"));
}

/* The line as it was given, whatever named the state directory here. */
static void say_where(struct cli *cli)
{
	AUTO_BUF struct buf line = BUF_INIT(BUF_MAX_LINE);
	for (int i = 0; i < cli->args_n; i++)
		buf_addf(&line, " %s", cli->args[i]);
	for (int i = 0; i < FLAGS; i++)
		if (cli->given[i] && i != FLAG_STATE && i != FLAG_CONFIG)
			buf_addf(&line, " --%s%s%s", flag_rows[i].name, cli->value[i] ? " " : "",
				 cli->value[i] ? cli->value[i] : "");
	cli_say("on the machine that runs it: trueup %s%s --state %s", cli->command->name,
		buf_str(&line), cli->state_dir);
}

static void put_pass(struct cli *cli, const json_t *answer)
{
	buf_addf(&cli->out, "%.12s %s\n", json_str(answer, "commit", ""),
		 json_flag(answer, "synced", false) ? "synced" : "not synced: see trueup status");
}

/* What was asked for is written into the audit log: --user, or the name this process has here. */
static const char *who_am_i(struct cli *cli)
{
	const char *user = cli_lookup(cli, FLAG_USER);
	if (user)
		return user;
	struct passwd *entry = getpwuid(getuid());
	return entry ? entry->pw_name : "unknown";
}

static int fail(struct cli *cli, const struct err *err)
{
	int code = cli_fail(cli, err);
	if (err->code == E_NO_DAEMON)
		say_where(cli);
	return code;
}

int live_stream(struct cli *cli, const char *op, json_t *args,
		int (*take)(void *arg, const json_t *value), void *arg)
{
	AUTO_JSON json_t *owned = args;
	AUTO_JSON json_t *answer = NULL;
	struct err err = ERR_INIT;
	int code = EXIT_ERROR;
	if (control_stream(cli->state_dir, op, owned, take, arg, STDOUT_FILENO, &answer, &code,
			   &err) < 0)
		return fail(cli, &err);
	if (code != EXIT_DONE)
		say_diagnostics(answer);
	return code;
}

int live_call(struct cli *cli, const char *op, json_t *args,
	      void (*show)(struct cli *cli, const json_t *answer))
{
	AUTO_JSON json_t *owned = args;
	AUTO_JSON json_t *answer = NULL;
	struct err err = ERR_INIT;
	int64_t timeout = cli->given[FLAG_WAIT] ? WAIT_DEFAULT_MS : ANSWER_MS;
	int code = EXIT_ERROR;
	if (cli->value[FLAG_TIMEOUT] && num_parse_duration(cli->value[FLAG_TIMEOUT], &timeout) < 0)
		return cli_usage(cli, "--timeout %s: not a time like 30s",
				 cli->value[FLAG_TIMEOUT]);
	json_put_str(owned, "actor", who_am_i(cli));
	json_object_set_new(owned, "wait", json_boolean(cli->given[FLAG_WAIT]));
	json_object_set_new(owned, "timeout_ms", json_integer(timeout));
	/* The reconciler answers at the time that was given; its answer needs a moment more. */
	if (control_call(cli->state_dir, op, owned, timeout + 1000, &answer, &code, &err) < 0)
		return fail(cli, &err);
	if (code != EXIT_DONE) {
		say_diagnostics(answer);
		return code;
	}
	if (cli->json)
		cli_put_json(cli, json_incref(answer));
	else
		show(cli, answer);
	if (!cli->given[FLAG_WAIT])
		return EXIT_DONE;
	if (!cli->json)
		put_pass(cli, answer);
	return (int)json_int(answer, "exit", EXIT_DONE);
}

/* ---- what comes just now ---- */

/* It answers at once, or has something better to do. */
#define PULLS_MS 1000

json_t *live_pulls(struct cli *cli)
{
	AUTO_JSON json_t *args = json_object();
	AUTO_JSON json_t *answer = NULL;
	int code = EXIT_ERROR;
	if (control_call(cli->state_dir, "pulls", args, PULLS_MS, &answer, &code, NULL) < 0 ||
	    code != EXIT_DONE)
		return NULL;
	return json_incref(json_object_get(answer, "pulls"));
}

json_t *live_pull_of(const json_t *pulls, const struct slot_key *slot)
{
	char id[SLOT_ID_MAX];
	json_t *pull = json_object_get(pulls, slot_id(slot, id));
	return pull ? json_incref(pull) : json_null();
}

/* The last part of the image's name, which is enough beside the deployment's. */
void live_put_pull(const json_t *pull, struct buf *out)
{
	const struct op_progress progress = op_progress_from_json(pull);
	const char *image = json_str(pull, "image", "?"), *slash = image;
	for (size_t i = 0, end = strcspn(image, "@"); i < end; i++)
		if (image[i] == '/')
			slash = image + i + 1;
	buf_addf(out, "pulling %.*s: ", (int)strcspn(slash, ":@"), slash);
	op_progress_words(&progress, out);
}
