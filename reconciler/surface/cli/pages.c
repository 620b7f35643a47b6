#include "base/sys.h"

#include "schema/gen.h"
#include "surface/cli/cli.h"
#include "surface/cli/pages.h"

static const struct exit_row {
	enum exit_code code;
	const char *text;
} exits[] = {
	{EXIT_DONE, "done, or no changes"},
	{EXIT_ERROR, "an error that none of the others describes"},
	{EXIT_CHANGES, "plan: there are changes"},
	{EXIT_FAILED, "apply: carried out, and a deployment failed"},
	{EXIT_USAGE, "wrong usage: an unknown command or flag, an argument too few or too many"},
	{EXIT_REFUSED, "manifests or settings are invalid, or something is refused or held"},
	{EXIT_NOT_FOUND, "not found: a deployment, a commit, a branch, a repository"},
	{EXIT_UNREACHABLE, "the remote or the reconciler does not answer"},
	{EXIT_CONFLICT,
	 "conflict: somebody else changed it in the meantime, or init found a folder in use"},
	{EXIT_BUSY, "another process holds the state directory: try again"},
	{EXIT_NOT_PERMITTED, "not permitted"},
	{EXIT_WAIT_RAN_OUT, "the time given with --timeout passed"},
};

static bool takes(const struct command *command, int flag)
{
	return flag == FLAG_HELP || (command->flags >> flag & 1);
}

/* The texts of the tables begin small; a sentence does not. */
static char capital(const char *text)
{
	return ascii_upper(text[0]);
}

/* ---- the man page: roff(7) with the macros of man(7) ---- */

/* The page's date stands here because a build must give the same bytes every day. */
#define MAN_HEAD                                                                                   \
	".\\\" Generated from the tables of the command line: make generated\n"                    \
	".TH TRUEUP 1 2026-11-22 trueup \"User Commands\"\n"                                       \
	".SH NAME\ntrueup \\- what is pushed is what runs\n"                                       \
	".SH SYNOPSIS\n.B trueup\n.RI [ flags ]\n.IR command [\\fB:\\fPsubcommand ]\n"             \
	".RI [ arguments ]\n.RI [ flags ]\n"                                                       \
	".SH DESCRIPTION\n"                                                                        \
	".B trueup run\nwatches a branch of a Git repository of YAML manifests, compares what "    \
	"they\nask for with what runs on the nodes, and makes it so. The other commands show\n"    \
	"what it did, what it would do, and why.\n.PP\n"                                           \
	"Flags may stand before or after the command; after\n.B \\-\\-\neverything is literal. "   \
	"A space instead of the colon is accepted.\nData goes to standard output, talk to "        \
	"standard error.\n"

#define MAN_TAIL                                                                                   \
	".SH ENVIRONMENT\n"                                                                        \
	"The value of a flag is looked up on the command line, then in the environment, then\n"    \
	"in a file\n.I .trueup\n(lines\n.IR name :\\ value )\n"                                    \
	"in this folder or the nearest one above, then in\n.IR ~/.config/trueup/config ,\n"        \
	"then in the settings.\n"                                                                  \
	".TP\n.BR TRUEUP_STATE ,\\ TRUEUP_CONFIG ,\\ TRUEUP_REPO ,\\ TRUEUP_BRANCH ,\\ "           \
	"TRUEUP_PATH\n"                                                                            \
	".TQ\n.BR TRUEUP_PROJECT ,\\ TRUEUP_STAGE ,\\ TRUEUP_USER\n"                               \
	"the values of the flags with these names.\n"                                              \
	".TP\n.B NO_COLOR\nno colour, not even on a terminal.\n"                                   \
	".SH FILES\n"                                                                              \
	".TP\n.I /etc/trueup/trueup.yaml\nsettings; every one is explained by\n"                   \
	".BR \"trueup explain Settings\" .\n"                                                      \
	".TP\n.I /var/lib/trueup\nstate directory, for the reconciler's user alone: the ledger, "  \
	"the control\nsocket, the mirror of a remote, and credentials unless the settings name\n"  \
	"another folder.\n"                                                                        \
	".SH SIGNALS\n"                                                                            \
	".B trueup run\nends in good order on SIGTERM and SIGINT and leaves running what runs; "   \
	"SIGHUP\nreads the settings again.\n"                                                      \
	".SH SEE ALSO\n.BR git (1),\n.BR systemd.service (5)\n.PP\n"                               \
	".BR \"trueup explain\" ,\nand the reference pages in\n.I share/doc/trueup\nwhere it was " \
	"installed.\n"

/* Text of the tables is no markup: a hyphen is one, and no line of it is a request. */
static void put_roff(const char *text, size_t len, struct buf *out)
{
	if (len && (text[0] == '.' || text[0] == '\''))
		buf_adds(out, "\\&");
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\')
			buf_adds(out, "\\e");
		else if (text[i] == '-')
			buf_adds(out, "\\-");
		else
			buf_addc(out, text[i]);
	}
}

static void put_roff_text(const char *text, struct buf *out)
{
	put_roff(text, strlen(text), out);
}

/* A sentence a line, as roff wants it. */
static void put_roff_sentences(const char *text, struct buf *out)
{
	while (*text) {
		const char *end = strstr(text, ". ");
		size_t len = end ? (size_t)(end - text) + 1 : strlen(text);
		put_roff(text, len, out);
		buf_addc(out, '\n');
		text += len;
		text += *text == ' ';
	}
}

static void man_flag(const struct flag_row *row, struct buf *out)
{
	buf_adds(out, ".TP\n\\fB");
	if (row->letter)
		buf_addf(out, "\\-%c\\fP, \\fB", row->letter);
	buf_adds(out, "\\-\\-");
	put_roff_text(row->name, out);
	buf_adds(out, "\\fP");
	if (row->value)
		buf_addf(out, " \\fI%s\\fP", row->value);
	buf_addc(out, '\n');
	put_roff_text(row->text, out);
	buf_addc(out, '\n');
}

static void man_examples(const char *lines, struct buf *out)
{
	buf_adds(out, ".PP\n.nf\n.RS\n");
	while (*lines) {
		size_t len = strcspn(lines, "\n");
		put_roff(lines, len, out);
		buf_addc(out, '\n');
		lines += len + (lines[len] == '\n');
	}
	buf_adds(out, ".RE\n.fi\n");
}

static void man_command(const struct command *command, struct buf *out)
{
	const char *more = command->needs & NEEDS_SETTINGS ? " ,\nand every setting.\n" : " .\n";
	buf_adds(out, ".SS \"trueup ");
	put_roff_text(command->name, out);
	buf_addf(out, "%s%s\"\n", command->arguments[0] ? " " : "", command->arguments);
	buf_addc(out, capital(command->summary));
	put_roff_text(command->summary + 1, out);
	buf_adds(out, ".\n");
	put_roff_sentences(command->text, out);
	man_examples(command->examples, out);
	buf_adds(out, ".PP\nFlags:\n");
	for (int n = 1; n <= FLAGS; n++) { /* --help, the first, ends the list */
		int i = n % FLAGS;
		if (takes(command, i)) {
			buf_adds(out, ".BR \\-\\-");
			put_roff_text(flag_rows[i].name, out);
			buf_adds(out, i == FLAG_HELP ? more : " ,\n");
		}
	}
}

static void page_man(struct buf *out)
{
	buf_adds(out, MAN_HEAD ".SH COMMANDS\n");
	for (const struct command *command = commands; command->name; command++)
		man_command(command, out);
	buf_adds(out, ".SH FLAGS\n");
	for (int i = 0; i < FLAGS; i++)
		man_flag(&flag_rows[i], out);
	buf_adds(out, ".SH EXIT STATUS\n");
	for (size_t i = 0; i < ARRAY_LEN(exits); i++) {
		buf_addf(out, ".TP\n.B %d\n", (int)exits[i].code);
		put_roff_text(exits[i].text, out);
		buf_addc(out, '\n');
	}
	buf_adds(out, MAN_TAIL);
}

/* ---- the reference of commands, as Markdown ---- */

static void markdown_command(const struct command *command, struct buf *out)
{
	buf_addf(out, "\n## trueup %s%s%s\n\n%c%s.", command->name,
		 command->arguments[0] ? " " : "", command->arguments, capital(command->summary),
		 command->summary + 1);
	buf_addf(out, "%s%s\n\n```\n%s```\n\nFlags:", command->text[0] ? " " : "", command->text,
		 command->examples);
	for (int i = 0; i < FLAGS; i++)
		if (takes(command, i))
			buf_addf(out, "%s `--%s`", i == FLAG_HELP ? "" : ",", flag_rows[i].name);
	buf_addf(out, "%s.\n", command->needs & NEEDS_SETTINGS ? ", and every setting" : "");
}

static void page_commands(struct buf *out)
{
	buf_adds(out, "# Commands\n\n"
		      "`trueup [flags] command[:subcommand] [arguments] [flags]`\n\n"
		      "The value of a flag is looked up on the command line, then in the "
		      "environment (`TRUEUP_STATE`), then in a `.trueup` file in this folder or "
		      "the nearest one above, then in `~/.config/trueup/config`, then in the "
		      "settings. (Flags for state, config, repo, branch, path, project, stage "
		      "and user.)\n");
	for (const struct command *command = commands; command->name; command++)
		markdown_command(command, out);
	buf_adds(out, "\n## Flags\n\n| flag | meaning |\n|---|---|\n");
	for (int i = 0; i < FLAGS; i++) {
		const struct flag_row *row = &flag_rows[i];
		buf_adds(out, "| ");
		if (row->letter)
			buf_addf(out, "`-%c`, ", row->letter);
		buf_addf(out, "`--%s%s%s` | %s |\n", row->name, row->value ? " " : "",
			 row->value ? row->value : "", row->text);
	}
	buf_adds(out, "\n## Exit status\n\n| status | meaning |\n|---|---|\n");
	for (size_t i = 0; i < ARRAY_LEN(exits); i++)
		buf_addf(out, "| %d | %s |\n", (int)exits[i].code, exits[i].text);
}

/* ---- all of them ---- */

static const struct page {
	const char *topic;
	void (*put)(struct buf *out);
} pages[] = {
	{"man", page_man},
	{"reference:commands", page_commands},
	{"reference:manifests", gen_reference},
	{"reference:codes", gen_codes},
	{"reference:compose", gen_compose},
};

bool page_put(const char *topic, struct buf *out)
{
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		if (str_eq(pages[i].topic, topic)) {
			pages[i].put(out);
			return true;
		}
	return false;
}
