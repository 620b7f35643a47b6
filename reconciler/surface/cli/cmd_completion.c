#include "base/sys.h"

#include "surface/cli/cli.h"

/*
 * Each script is generated from the two tables: commands first, then the flags of the command that
 * was typed.
 */

static void put_command_words(struct buf *out)
{
	for (const struct command *command = commands; command->name; command++)
		buf_addf(out, "%s%s", command == commands ? "" : " ", command->name);
}

static void put_flag_words(const struct command *command, struct buf *out)
{
	for (int i = 0; i < FLAGS; i++)
		if (i == FLAG_HELP || (command->flags >> i & 1))
			buf_addf(out, " --%s", flag_rows[i].name);
}

static void put_cases(struct buf *out, const char *before, const char *after)
{
	for (const struct command *command = commands; command->name; command++) {
		buf_addf(out, "    %s) %s", command->name, before);
		put_flag_words(command, out);
		buf_addf(out, "%s ;;\n", after);
	}
}

static void put_bash(struct buf *out)
{
	buf_adds(out, "# bash completion for trueup\n"
		      "_trueup() {\n"
		      "  local word command flags commands=\"");
	put_command_words(out);
	buf_adds(out, "\"\n"
		      "  COMPREPLY=()\n"
		      "  local current=\"${COMP_LINE:0:COMP_POINT}\"\n"
		      "  current=\"${current##* }\"\n"
		      "  for word in ${COMP_LINE:0:COMP_POINT}; do\n"
		      "    case \" $commands \" in *\" $word \"*) command=$word ;; esac\n"
		      "  done\n"
		      "  case $command in\n");
	put_cases(out, "flags=\"", "\"");
	buf_adds(out, "    *) flags=\"$commands --help --version\" ;;\n"
		      "  esac\n"
		      "  COMPREPLY=($(compgen -W \"$flags\" -- \"$current\"))\n"
		      "  # a colon separates words for bash: give back what is behind it\n"
		      "  if [[ $current == *:* ]]; then "
		      "COMPREPLY=(\"${COMPREPLY[@]#\"${current%:*}:\"}\"); fi\n"
		      "}\n"
		      "complete -o default -F _trueup trueup\n");
}

static void put_zsh(struct buf *out)
{
	buf_adds(out, "#compdef trueup\n"
		      "_trueup() {\n"
		      "  local -a commands flags\n"
		      "  local word command\n"
		      "  commands=(");
	put_command_words(out);
	buf_adds(out, ")\n"
		      "  for word in $words[2,CURRENT-1]; do\n"
		      "    (( $commands[(Ie)$word] )) && command=$word\n"
		      "  done\n"
		      "  case $command in\n");
	put_cases(out, "flags=(", ")");
	buf_adds(out, "    *) flags=($commands --help --version) ;;\n"
		      "  esac\n"
		      "  compadd -- $flags\n"
		      "  [[ -n $command ]] && _files\n"
		      "}\n"
		      "_trueup \"$@\"\n");
}

static void put_fish_text(const char *text, struct buf *out)
{
	buf_adds(out, " -d '");
	for (; *text; text++)
		buf_addf(out, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
	buf_adds(out, "'\n");
}

static void put_fish(struct buf *out)
{
	buf_adds(out, "# fish completion for trueup\n");
	for (const struct command *command = commands; command->name; command++) {
		buf_addf(out, "complete -c trueup -n __fish_use_subcommand -f -a '%s'",
			 command->name);
		put_fish_text(command->summary, out);
		for (int i = 0; i < FLAGS; i++) {
			const struct flag_row *row = &flag_rows[i];
			if (i != FLAG_HELP && !(command->flags >> i & 1))
				continue;
			buf_addf(out, "complete -c trueup -n '__fish_seen_subcommand_from %s'",
				 command->name);
			if (row->letter)
				buf_addf(out, " -s %c", row->letter);
			buf_addf(out, " -l %s%s", row->name, row->value ? " -r" : "");
			put_fish_text(row->text, out);
		}
	}
}

static const struct shell {
	const char *name;
	void (*put)(struct buf *out);
} shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};

int cmd_completion(struct cli *cli)
{
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (str_eq(shells[i].name, cli->args[0])) {
			shells[i].put(&cli->out);
			return EXIT_DONE;
		}
	return cli_usage(cli, "no completion for %s: bash, zsh or fish", cli->args[0]);
}
