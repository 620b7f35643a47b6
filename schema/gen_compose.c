#include "base/sys.h"
#include "schema/gen.h"

#include "schema/compose_work.h"
#include "schema/gen_words.h"

/* The reference page of Compose files, from compose.def. */

static const char intro[] =
	"# Compose files\n\n"
	"A folder `projects/<project>/stages/<stage>/<stack>/` that holds `compose.yaml`, "
	"`compose.yml`, `docker-compose.yml` or `docker-compose.yaml` (the first of them that is "
	"there) is a **stack**: its services run on the stage's nodes, under the prefix "
	"`<project>-<stage>-<stack>`. A `deployment.yaml` beside it, of the same name and without "
	"`product`, can say more: other nodes, a strategy, bundles. A Version or a simple Product "
	"may say `compose: FOLDER/compose.yaml` instead of `images`.\n\n"
	"Files are read as they are, and from their folder alone: variables come from `.env` "
	"beside "
	"the file, never from the environment of a program; `PWD` is the folder, `.`. What is in "
	"such a folder is no "
	"manifest, "
	"`deployment.yaml` excepted.\n\n"
	"## Relative mounts\n\n"
	"| the path is | it becomes |\n|---|---|\n"
	"| a file in the commit | a file in the container, read-only, part of the release |\n"
	"| a folder in the commit, mounted `:ro` | its files, likewise |\n"
	"| a folder in the commit, writable | a volume into which each release writes the commit's "
	"files; it deletes none |\n"
	"| not in the commit | a volume, named after the path with `-` for `/` |\n"
	"| outside of the folder | an error, `compose-outside` |\n\n"
	"Each driver says what it carries out: on Docker and Podman a container answers to its "
	"full "
	"name, `<project>-<stage>-<stack>-<service>`, and not yet to that of its service alone.\n\n"
	"A path of the node (`/srv/data`) is mounted where the policy allows it. `plan` and "
	"`validate` "
	"say of each relative mount what it is.\n\n"
	"## Keys\n\n"
	"*carried*: it is carried out, as the field that is named. *ignored*: nothing is done with "
	"it, and a note says so (`compose-ignored`). Anything else is refused with that code, and "
	"the "
	"way out. What stands below a key that is ignored or refused shares its fate; keys that "
	"begin "
	"with `x-` are anybody's; a key that asks for nothing (`false`, an empty list) is fine "
	"anywhere.\n";

static const char *fate(const struct compose_key *row)
{
	if (row->code == DIAG_NONE)
		return "carried";
	return row->code == DIAG_COMPOSE_IGNORED ? "ignored" : diag_code_name(row->code);
}

static void put_key(const struct compose_key *row, struct buf *out)
{
	buf_addf(out, "| `%s` |", row->key);
	gen_cell(fate(row), out);
	gen_cell(row->text, out);
	buf_adds(out, "\n");
}

void gen_compose(struct buf *out)
{
	buf_adds(out, intro);
	for (int section = 0; section < COMPOSE_SECTIONS; section++) {
		buf_addf(out, "\n### %s\n\n", compose_sections[section].title);
		if (compose_sections[section].path[0])
			buf_addf(out, "`%s`\n\n", compose_sections[section].path);
		buf_adds(out, "| key | | |\n|---|---|---|\n");
		for (size_t i = 0; i < compose_keys_n; i++) {
			if (compose_keys[i].section == (enum compose_section)section)
				put_key(&compose_keys[i], out);
		}
	}
}
