#include "base/sys.h"

#include <pwd.h>
#include <unistd.h>

#include "base/json.h"
#include "surface/cli/live.h"

static void show(struct cli *cli, const json_t *answer)
{
	const json_t *removals = json_object_get(answer, "removals");
	size_t i;
	json_t *slot;
	buf_addf(&cli->out, "approved %.12s\n", json_str(answer, "commit", ""));
	json_array_foreach(removals, i, slot)
		buf_addf(&cli->out, "  may remove %s\n", json_string_value(slot));
}

/* Who approves is written into the audit log: --user, or the name this process has here. */
static const char *who_am_i(struct cli *cli)
{
	const char *user = cli_lookup(cli, FLAG_USER);
	if (user)
		return user;
	struct passwd *entry = getpwuid(getuid());
	return entry ? entry->pw_name : "unknown";
}

int cmd_approve(struct cli *cli)
{
	json_t *args = json_object();
	json_put_str(args, "commit", cli->args[0]);
	json_put_str(args, "actor", who_am_i(cli));
	return live_call(cli, "approve", args, show);
}
