/*
 * cli.h - from argv to one command: a table of commands, a table of flags, and what they share.
 *
 *	trueup [flags] command[:subcommand] [arguments] [flags]
 *
 * Flags stand anywhere before `--`. "topic verb" means "topic:verb". Every
 * value is looked up as flag > environment (TRUEUP_STATE) > `.trueup` file in
 * the folder or above > ~/.config/trueup/config > settings > default. Data goes
 * to standard output, talk to standard error.
 *
 * How to add a command: a row in commands.def, a file cmd_<name>.c with its
 * function, a test in tests/flow/, and `make generated`.
 */
#ifndef TRUEUP_SURFACE_CLI_H
#define TRUEUP_SURFACE_CLI_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "engine/engine.h"

enum cli_flag {
#define FLAG(constant, name, letter, value, text) FLAG_##constant,
#include "surface/cli/flags.def"
#undef FLAG
	FLAGS,
};
#define FLAG_BIT(constant) (UINT64_C(1) << FLAG_##constant)

struct flag_row {
	const char *name;
	char letter;
	const char *value; /* name of its value; NULL: it has none */
	const char *text;
};
extern const struct flag_row flag_rows[FLAGS];

/* What must hold before a command runs. */
enum cli_needs {
	NEEDS_NOTHING = 0,
	NEEDS_STATE = 1,    /* cli->state_dir is set */
	NEEDS_SETTINGS = 2, /* cli->settings is set; settings may be given as flags */
};

struct cli;
struct command {
	const char *name;      /* "deployment:info" */
	const char *arguments; /* "DEPLOYMENT", for the usage line; "" */
	int min_args, max_args;
	unsigned needs;
	uint64_t flags; /* besides --help */
	const char *summary;
	const char *examples; /* lines, without the prompt */
	const char *text;     /* a paragraph, or "" */
	int (*run)(struct cli *cli);
};
/* In order of the help page; ends with name NULL. */
extern const struct command commands[];
/* The functions behind the table, one file each: the exit code. */
#define COMMAND(function, name, arguments, min, max, needs, flags, summary, examples, text)        \
	int function(struct cli *cli);
#include "surface/cli/commands.def"
#undef COMMAND
/* Exact name, or NULL. */
const struct command *command_find(const char *name);
/* The command that was probably meant, or NULL. */
const char *command_nearest(const char *word);

struct cli {
	const struct command *command;
	struct arena *arena;
	const char **args; /* positional, NULL-terminated */
	int args_n;
	bool given[FLAGS];
	const char *value[FLAGS];
	bool json, colour; /* colour: standard output is a terminal and NO_COLOR is not set */
	unsigned width;	   /* columns of standard output; 80 where it is no terminal */
	bool is_page;	   /* somebody reads it in `width` columns: a terminal, or COLUMNS is set */
	const char *state_dir;
	const struct settings *settings;
	const char *config_path; /* of the settings; NULL: none were found */
	bool settings_given;	 /* a file or a flag said something */
	const char **overrides;	 /* settings given as flags, for cli_reload */
	size_t overrides_n;
	struct buf out;	 /* what goes to standard output, written when the command ended */
	int out_failed;	 /* the exit code for that; 0: it could be written */
	bool out_closed; /* nobody reads it any more */
};

/* The whole of main(): parses, runs, prints, returns the exit code. */
int cli_main(int argc, char **argv);

/* Prints "trueup: text" on standard error; returns the error's exit code. */
int cli_fail(struct cli *cli, const struct err *err);
/* A usage error with the command's usage line; returns EXIT_USAGE. */
int cli_usage(struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A line of talk on standard error. */
void cli_say(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Writes what is in cli->out now, so that talk comes behind it. */
void cli_flush(struct cli *cli);
/* Adds the value as JSON to cli->out and releases it. */
void cli_put_json(struct cli *cli, json_t *json);
/* One after another, for people. */
void cli_put_diags(struct cli *cli, const struct diags *diags);
/* The folder one stands in, as far up as its organization.yaml; "." where there is none. */
const char *cli_configuration(struct cli *cli);
/*
 * The configuration that a command without a reconciler looks at: --repo and --rev, else `folder`,
 * else the folder one stands in, as far up as its organization.yaml.
 */
struct engine_source cli_source(struct cli *cli, const char *folder);
/* Options for the engine from what was given. */
void cli_engine_options(struct cli *cli, struct engine_options *options);
/* Absolute path of this binary, in the arena. */
const char *cli_self(struct cli *cli);
/* Reads the settings again, with the same flags over them: for SIGHUP. arg is the cli. */
const struct settings *cli_reload(void *arg, struct err *err);
/* Where the value of a flag comes from: flag, environment, .trueup, user's file; NULL: nowhere. */
const char *cli_lookup(struct cli *cli, enum cli_flag flag);
/* Help as text: of everything (NULL), of a topic or of a command. */
void cli_help(const char *topic, struct buf *out);
/*
 * A table with aligned columns; cells are separated by \t, rows end with \n. On a page a last cell
 * that does not fit stands below its row; elsewhere a row is always one line, for grep and awk.
 */
void cli_table(struct cli *cli, const char *rows);

#endif
