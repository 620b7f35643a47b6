#include "base/sys.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/num.h"
#include "base/version.h"
#include "schema/check.h"
#include "surface/cli/cli.h"
#include "surface/cli/options.h"

const struct flag_row flag_rows[FLAGS] = {
#define FLAG(constant, name, letter, value, text) {name, letter, value, text},
#include "surface/cli/flags.def"
#undef FLAG
};

const struct command commands[] = {
#define COMMAND(function, name, arguments, min, max, needs, flags, summary, examples, text)        \
	{name, arguments, min, max, needs, flags, summary, examples, text, function},
#include "surface/cli/commands.def"
#undef COMMAND
	{0},
};
#define COMMANDS (ARRAY_LEN(commands) - 1)

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (str_eq(command->name, name))
			return command;
	return NULL;
}

/* ---- talk ---- */

void cli_say(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	AUTO_BUF struct buf line = BUF_INIT(BUF_MAX_LINE);
	buf_addfv(&line, fmt, args);
	va_end(args);
	AUTO_BUF struct buf clean = BUF_INIT(BUF_MAX_LINE);
	buf_add_clean(&clean, buf_str(&line), line.len);
	fprintf(stderr, "%s\n", buf_str(&clean));
}

int cli_fail(struct cli *cli UNUSED, const struct err *err)
{
	cli_say("trueup: %s", err->text);
	return err_code_exit(err->code);
}

void cli_put_diags(struct cli *cli, const struct diags *diags)
{
	for (size_t i = 0; i < diags->n; i++) {
		diag_render(&diags->v[i], cli->colour ? DIAG_COLOUR : DIAG_PLAIN, &cli->out);
		buf_addc(&cli->out, '\n');
	}
}

static void say_usage(const struct cli *cli)
{
	if (cli->command)
		cli_say("usage: trueup %s %s%s(trueup help %s)", cli->command->name,
			cli->command->arguments, cli->command->arguments[0] ? "   " : "  ",
			cli->command->name);
	else
		cli_say("trueup help lists the commands");
}

int cli_usage(struct cli *cli, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	AUTO_BUF struct buf line = BUF_INIT(BUF_MAX_LINE);
	buf_addfv(&line, fmt, args);
	va_end(args);
	cli_say("trueup: %s", buf_str(&line));
	say_usage(cli);
	return EXIT_USAGE;
}

void cli_put_json(struct cli *cli, json_t *json)
{
	json_print(json, &cli->out);
	json_decref(json);
}

/* ---- parsing ---- */

static int no_such_flag(struct cli *cli, const char *name)
{
	const char *names[FLAGS + SETTINGS_MAX];
	for (size_t i = 0; i < FLAGS; i++)
		names[i] = flag_rows[i].name;
	size_t settings = overrides_names(names + FLAGS);
	const char *near = check_nearest(name, names, FLAGS + settings);
	if (near)
		return cli_usage(cli, "unknown flag --%s: did you mean --%s?", name, near);
	return cli_usage(cli, "unknown flag --%s", name);
}

static int find_flag(const char *name, size_t len)
{
	for (int i = 0; i < FLAGS; i++)
		if (strlen(flag_rows[i].name) == len && !strncmp(flag_rows[i].name, name, len))
			return i;
	return -1;
}

static int find_letter(char letter)
{
	for (int i = 0; i < FLAGS; i++)
		if (flag_rows[i].letter == letter)
			return i;
	return -1;
}

/* Takes argv[*at] and, where the flag has a value that is not behind "=", the next one. */
static int take_flag(struct cli *cli, int argc, char **argv, int *at, struct overrides *overrides)
{
	const char *word = argv[*at];
	const char *equals = strchr(word, '=');
	bool is_long = word[1] == '-';
	const char *name = word + 2;
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	int flag = is_long ? find_flag(name, len) : word[1] && !word[2] ? find_letter(word[1]) : -1;
	if (flag < 0 && is_long && overrides_is_setting(name, len)) {
		const char *value = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
		if (!value)
			return cli_usage(cli, "--%s needs a value", name);
		overrides_add(overrides, cli->arena, name, len, value);
		return EXIT_DONE;
	}
	if (flag < 0 && !is_long)
		return cli_usage(cli, "unknown flag %s", word);
	if (flag < 0)
		return no_such_flag(cli, arena_strndup(cli->arena, name, len));
	const struct flag_row *row = &flag_rows[flag];
	cli->given[flag] = true;
	if (!row->value)
		return equals ? cli_usage(cli, "--%s takes no value", row->name) : EXIT_DONE;
	cli->value[flag] = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
	if (!cli->value[flag])
		return cli_usage(cli, "--%s needs %s", row->name, row->value);
	return EXIT_DONE;
}

static int split_words(struct cli *cli, int argc, char **argv, struct overrides *overrides)
{
	bool literal = false;
	cli->args = ARENA_ARRAY(cli->arena, (size_t)argc + 1, const char *);
	for (int i = 1; i < argc; i++) {
		if (!literal && str_eq(argv[i], "--")) {
			literal = true;
		} else if (!literal && argv[i][0] == '-' && argv[i][1]) {
			int status = take_flag(cli, argc, argv, &i, overrides);
			if (status != EXIT_DONE)
				return status;
		} else {
			cli->args[cli->args_n++] = argv[i];
		}
	}
	return EXIT_DONE;
}

static void drop_args(struct cli *cli, int n)
{
	cli->args += n;
	cli->args_n -= n;
}

const char *command_nearest(const char *word)
{
	const char *names[COMMANDS];
	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	return check_nearest(word, names, COMMANDS);
}

static int no_such_command(struct cli *cli, const char *word)
{
	const char *near = command_nearest(word);
	if (near)
		return cli_usage(cli, "unknown command %s: did you mean %s?", word, near);
	return cli_usage(cli, "unknown command %s", word);
}

/* "deployment info" is "deployment:info", when there is such a command. */
static int find_command(struct cli *cli)
{
	if (cli->args_n >= 2) {
		const char *both = arena_printf(cli->arena, "%s:%s", cli->args[0], cli->args[1]);
		cli->command = command_find(both);
		if (cli->command) {
			drop_args(cli, 2);
			return EXIT_DONE;
		}
	}
	cli->command = command_find(cli->args[0]);
	if (!cli->command)
		return no_such_command(cli, cli->args[0]);
	drop_args(cli, 1);
	return EXIT_DONE;
}

static int check_fit(struct cli *cli, const struct overrides *overrides)
{
	const struct command *command = cli->command;
	for (int i = 0; i < FLAGS; i++)
		if (cli->given[i] && i != FLAG_HELP && !(command->flags >> i & 1))
			return cli_usage(cli, "%s does not take --%s", command->name,
					 flag_rows[i].name);
	if (overrides->n && !(command->needs & NEEDS_SETTINGS))
		return cli_usage(cli, "%s does not take settings", command->name);
	if (cli->args_n < command->min_args)
		return cli_usage(cli, "%s needs %s", command->name, command->arguments);
	if (cli->args_n > command->max_args)
		return cli_usage(cli, "%s: surplus argument %s", command->name,
				 cli->args[command->max_args]);
	return EXIT_DONE;
}

/* ---- running ---- */

static void look_at_terminal(struct cli *cli)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS"), *no_colour = getenv("NO_COLOR");
	int64_t width = 0;
	bool terminal = isatty(STDOUT_FILENO);
	cli->colour = terminal && !(no_colour && *no_colour);
	cli->width = 80;
	cli->is_page = true;
	if (columns && num_parse_int(columns, 40, 1000, &width) == 0)
		cli->width = (unsigned)width;
	else if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
		cli->width = size.ws_col;
	else
		cli->is_page = terminal;
}

/* A reader that went away (`| head`) is no error of ours; a full disk is. */
void cli_flush(struct cli *cli)
{
	struct err err = ERR_INIT;
	if (cli->out.len && fs_write_all(STDOUT_FILENO, cli->out.ptr, cli->out.len) < 0) {
		cli->out_closed = true;
		if (errno != EPIPE) {
			err_errno(&err, E_IO, "standard output");
			cli->out_failed = cli_fail(cli, &err);
		}
	}
	buf_clear(&cli->out);
}

static int write_out(struct cli *cli, int code)
{
	cli_flush(cli);
	return cli->out_failed ? cli->out_failed : code;
}

/* Asked for, help is data; instead of a command, it is talk. */
static int no_command(struct cli *cli)
{
	AUTO_BUF struct buf help = BUF_INIT(BUF_MAX_TEXT);
	cli_help(NULL, cli->given[FLAG_HELP] ? &cli->out : &help);
	fputs(buf_str(&help), stderr);
	return cli->given[FLAG_HELP] ? EXIT_DONE : EXIT_USAGE;
}

static int run_command(struct cli *cli, struct overrides *overrides, int argc, char **argv)
{
	int status = split_words(cli, argc, argv, overrides);
	if (status != EXIT_DONE)
		return status;
	if (cli->given[FLAG_VERSION]) {
		buf_addf(&cli->out, "trueup %s\n", version_text());
		return EXIT_DONE;
	}
	if (cli->args_n == 0)
		return no_command(cli);
	status = find_command(cli);
	if (status != EXIT_DONE)
		return status;
	if (cli->given[FLAG_HELP]) {
		cli_help(cli->command->name, &cli->out);
		return EXIT_DONE;
	}
	status = check_fit(cli, overrides);
	if (status != EXIT_DONE)
		return status;
	cli->json = cli->given[FLAG_JSON];
	status = options_resolve(cli, overrides);
	return status == EXIT_DONE ? cli->command->run(cli) : status;
}

int cli_main(int argc, char **argv)
{
	struct cli cli = {.arena = arena_new(0), .out = BUF_INIT(BUF_MAX_OUTPUT)};
	look_at_terminal(&cli);
	struct overrides overrides = {0};
	int code = write_out(&cli, run_command(&cli, &overrides, argc, argv));
	VEC_FREE(&overrides);
	buf_release(&cli.out);
	arena_free(cli.arena);
	return code;
}
