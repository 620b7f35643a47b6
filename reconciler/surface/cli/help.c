#include "base/sys.h"

#include "base/utf8.h"
#include "base/vec.h"
#include "surface/cli/cli.h"
#include "surface/cli/pages.h"

/* ---- help ---- */

#define WIDTH 78
#define FLAG_COLUMN 27

/* Words from `column` on, broken at spaces before the edge; further lines begin at `indent`. */
static void put_words(const char *text, size_t column, size_t indent, struct buf *out)
{
	for (bool first = true; *text; first = false) {
		size_t len = strcspn(text, " ");
		if (!first && column + 1 + len > WIDTH) {
			buf_addf(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			buf_addc(out, ' ');
			column++;
		}
		buf_add(out, text, len);
		column += len;
		text += len + (text[len] == ' ');
	}
	buf_addc(out, '\n');
}

static void put_flag(const struct flag_row *row, struct buf *out)
{
	char left[48];
	snprintf(left, sizeof left, "  %s%c%s--%s%s%s", row->letter ? "-" : "",
		 row->letter ? row->letter : ' ', row->letter ? ", " : "   ", row->name,
		 row->value ? " " : "", row->value ? row->value : "");
	buf_addf(out, "%-*s", FLAG_COLUMN, left);
	put_words(row->text, FLAG_COLUMN, FLAG_COLUMN, out);
}

static void put_lines(const char *lines, const char *before, struct buf *out)
{
	while (*lines) {
		size_t len = strcspn(lines, "\n");
		buf_adds(out, before);
		buf_add(out, lines, len);
		buf_addc(out, '\n');
		lines += len + (lines[len] == '\n');
	}
}

static void help_command(const struct command *command, struct buf *out)
{
	buf_addf(out, "trueup %s%s%s - %s\n\nExamples\n", command->name,
		 command->arguments[0] ? " " : "", command->arguments, command->summary);
	put_lines(command->examples, "  ", out);
	if (command->text[0]) {
		buf_addc(out, '\n');
		put_words(command->text, 0, 0, out);
	}
	buf_adds(out, "\nFlags\n");
	for (int i = 0; i < FLAGS; i++)
		if (i == FLAG_HELP || (command->flags >> i & 1))
			put_flag(&flag_rows[i], out);
	if (command->needs & NEEDS_SETTINGS)
		buf_adds(out,
			 "  every setting is a flag too:  --interval 5s   --history=rewrite\n");
}

static void help_all(struct buf *out)
{
	buf_adds(out, "trueup - what is pushed is what runs\n\n"
		      "Examples\n"
		      "  trueup run --repo /srv/git/config.git --state /var/lib/trueup\n"
		      "  trueup plan\n"
		      "  trueup status\n\nCommands\n");
	for (const struct command *command = commands; command->name; command++) {
		char left[64];
		snprintf(left, sizeof left, "%s %s", command->name, command->arguments);
		buf_addf(out, "  %-27s %s\n", left, command->summary);
	}
	buf_adds(out,
		 "\ntrueup help COMMAND says more. Flags may stand before or after the command;\n"
		 "--version prints the version.\n");
}

/* A topic is a command, or everything that begins with "topic:". */
static bool help_topic(const char *topic, struct buf *out)
{
	bool found = false;
	const struct command *exact = command_find(topic);
	AUTO_FREE char *prefix = mem_printf("%s:", topic);
	if (exact)
		help_command(exact, out);
	for (const struct command *command = commands; command->name; command++) {
		if (!str_starts(command->name, prefix))
			continue;
		if (!found)
			buf_adds(out, exact ? "\nSee also\n" : "");
		buf_addf(out, "  trueup %s %s - %s\n", command->name, command->arguments,
			 command->summary);
		found = true;
	}
	return exact || found;
}

void cli_help(const char *topic, struct buf *out)
{
	if (!topic)
		help_all(out);
	else
		help_topic(topic, out);
}

int cmd_help(struct cli *cli)
{
	const char *topic = cli->args[0];
	if (cli->args_n == 0) {
		help_all(&cli->out);
		return EXIT_DONE;
	}
	if (cli->args_n == 2)
		topic = arena_printf(cli->arena, "%s:%s", topic, cli->args[1]);
	if (page_put(topic, &cli->out) || help_topic(topic, &cli->out))
		return EXIT_DONE;
	const char *near = command_nearest(topic);
	cli_say("trueup: no help on %s%s%s%s; trueup help lists the commands", topic,
		near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
	return EXIT_USAGE;
}
