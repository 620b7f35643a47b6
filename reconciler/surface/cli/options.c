#include "base/sys.h"

#include <unistd.h>

#include "base/fs.h"
#include "schema/decode.h"
#include "schema/kinds.h"
#include "surface/cli/options.h"

#define CONFIG_DEFAULT "/etc/trueup/trueup.yaml"
#define CONFIG_MAX ((size_t)1 << 20)
#define DOT_FILE ".trueup"

/* ---- settings as flags ---- */

bool overrides_is_setting(const char *name, size_t len)
{
	const struct object_type *type = kind_type(KIND_settings);
	const char *dot = memchr(name, '.', len);
	size_t first = dot ? (size_t)(dot - name) : len;
	for (size_t i = 0; i < type->fields_n; i++)
		if (strlen(type->fields[i].key) == first &&
		    !strncmp(type->fields[i].key, name, first))
			return true;
	return false;
}

size_t overrides_names(const char **names)
{
	const struct object_type *type = kind_type(KIND_settings);
	size_t n = type->fields_n < SETTINGS_MAX ? type->fields_n : SETTINGS_MAX;
	for (size_t i = 0; i < n; i++)
		names[i] = type->fields[i].key;
	return n;
}

void overrides_add(struct overrides *overrides, struct arena *arena, const char *name, size_t len,
		   const char *value)
{
	VEC_PUSH(overrides, arena_printf(arena, "%.*s=%s", (int)len, name, value));
}

/* ---- lines "name: value", in .trueup of this folder or the nearest one above, or the user's ----
 */

static const char *value_of_line(struct arena *arena, const char *line, size_t len,
				 const char *name)
{
	size_t name_len = strlen(name);
	if (len <= name_len || strncmp(line, name, name_len) != 0 || line[name_len] != ':')
		return NULL;
	const char *value = line + name_len + 1, *end = line + len;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (end[-1] == ' ' || end[-1] == '\r' || end[-1] == '\t'))
		end--;
	return value < end ? arena_strndup(arena, value, (size_t)(end - value)) : NULL;
}

static const char *find_in_text(struct arena *arena, const char *text, const char *name)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		const char *value = value_of_line(arena, text, len, name);
		if (value)
			return value;
		text += len + (text[len] == '\n');
	}
	return NULL;
}

/* Its text; false: there is none. */
static bool read_lines(const char *folder, const char *file, struct buf *text)
{
	char path[FS_PATH_MAX];
	return fs_join(path, folder, file) == 0 && !fs_is_dir(path) &&
	       fs_read(path, BUF_MAX_LINE, text, NULL) == 0;
}

/* A relative path is relative to the folder that the file is in. */
static const char *value_in(struct cli *cli, const char *folder, const struct buf *text,
			    const char *name, bool is_path)
{
	const char *value = find_in_text(cli->arena, buf_str(text), name);
	if (value && is_path && value[0] != '/' && !strstr(value, "://"))
		return arena_printf(cli->arena, "%s/%s", folder, value);
	return value;
}

/* The same lines for every folder: ~/.config/trueup/config. */
static const char *from_user_file(struct cli *cli, const char *name, bool is_path)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);
	const char *folder = NULL;
	if (base && base[0] == '/')
		folder = arena_printf(cli->arena, "%s/trueup", base);
	else if (home && home[0] == '/')
		folder = arena_printf(cli->arena, "%s/.config/trueup", home);
	return folder && read_lines(folder, "config", &text)
		       ? value_in(cli, folder, &text, name, is_path)
		       : NULL;
}

static const char *from_dot_file(struct cli *cli, const char *name, bool is_path)
{
	char folder[FS_PATH_MAX];
	if (!getcwd(folder, sizeof folder))
		return NULL;
	for (;;) {
		AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);
		if (read_lines(folder, DOT_FILE, &text))
			return value_in(cli, folder, &text, name, is_path);
		char *slash = strrchr(folder, '/');
		if (!slash || slash == folder)
			return NULL;
		*slash = '\0';
	}
}

static const char *from_environment(struct cli *cli, const char *name)
{
	char *variable = arena_printf(cli->arena, "TRUEUP_%s", name);
	for (char *c = variable; *c; c++)
		*c = ascii_upper(*c);
	const char *value = getenv(variable);
	return value && *value ? value : NULL;
}

const char *cli_lookup(struct cli *cli, enum cli_flag flag)
{
	const char *name = flag_rows[flag].name;
	if (cli->value[flag])
		return cli->value[flag];
	const char *value = from_environment(cli, name);
	if (value)
		return value;
	bool is_path = flag == FLAG_STATE || flag == FLAG_CONFIG || flag == FLAG_REPO;
	value = from_dot_file(cli, name, is_path);
	return value ? value : from_user_file(cli, name, is_path);
}

/* ---- settings ---- */

static void settings_from_flags(struct cli *cli, struct overrides *overrides)
{
	static const enum cli_flag settings[] = {FLAG_REPO, FLAG_BRANCH, FLAG_PATH};
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		const char *name = flag_rows[settings[i]].name;
		const char *value = cli_lookup(cli, settings[i]);
		if (value)
			overrides_add(overrides, cli->arena, name, strlen(name), value);
	}
}

/* The repository is read by children and after a change of folder: its path is made absolute. */
static void make_repo_absolute(struct cli *cli, struct settings *settings)
{
	char folder[FS_PATH_MAX], real[FS_PATH_MAX];
	const char *repo = settings->repo;
	if (!repo || repo[0] == '/' || strstr(repo, "://") || !getcwd(folder, sizeof folder) ||
	    fs_join(real, folder, repo) < 0 || !fs_exists(real))
		return;
	char *resolved = realpath(real, NULL);
	settings->repo = arena_strdup(cli->arena, resolved ? resolved : real);
	free(resolved);
}

static int print_problems(struct diags *diags)
{
	diags_sort(diags);
	for (size_t i = 0; i < diags->n; i++) {
		AUTO_BUF struct buf line = BUF_INIT(BUF_MAX_LINE);
		diag_render(&diags->v[i], DIAG_PLAIN, &line);
		fputs(buf_str(&line), stderr);
	}
	return EXIT_REFUSED;
}

static struct settings *read_settings(struct cli *cli, struct overrides *overrides, int *code)
{
	AUTO_DIAGS struct diags diags = {0};
	AUTO_BUF struct buf text = BUF_INIT(CONFIG_MAX);
	struct err err = ERR_INIT;
	const char *path = cli_lookup(cli, FLAG_CONFIG);
	bool asked = path != NULL;
	if (!path)
		path = CONFIG_DEFAULT;
	bool found = fs_read(path, CONFIG_MAX, &text, &err) == 0;
	if (!found && (asked || err.code != E_NOT_FOUND)) {
		err_wrap(&err, "settings");
		*code = cli_fail(cli, &err);
		return NULL;
	}
	cli->config_path = found ? arena_strdup(cli->arena, path) : NULL;
	cli->settings_given = found || overrides->n;
	struct settings *settings = settings_decode(cli->arena, path, found ? buf_str(&text) : NULL,
						    text.len, overrides->v, overrides->n, &diags);
	if (diags.errors) {
		*code = print_problems(&diags);
		return NULL;
	}
	make_repo_absolute(cli, settings);
	return settings;
}

static const char *absolute(struct cli *cli, const char *path)
{
	char folder[FS_PATH_MAX];
	if (path[0] == '/' || !getcwd(folder, sizeof folder))
		return path;
	return arena_printf(cli->arena, "%s/%s", folder, path);
}

/* Reading commands take the state directory from the settings too, when there are some. */
static const char *find_state(struct cli *cli, int *code)
{
	const char *state = cli_lookup(cli, FLAG_STATE);
	if (state)
		return absolute(cli, state);
	if (!cli->settings) {
		struct overrides none = {0};
		cli->settings = read_settings(cli, &none, code);
	}
	if (cli->settings && cli->settings->state)
		return cli->settings->state;
	return "/var/lib/trueup";
}

/* So that who works on one project need not say so each time. */
static void find_scope(struct cli *cli)
{
	static const enum cli_flag scope[] = {FLAG_PROJECT, FLAG_STAGE};
	for (size_t i = 0; i < ARRAY_LEN(scope); i++)
		if (cli->command->flags >> scope[i] & 1)
			cli->value[scope[i]] = cli_lookup(cli, scope[i]);
}

int options_resolve(struct cli *cli, struct overrides *overrides)
{
	int code = EXIT_DONE;
	find_scope(cli);
	if (cli->command->needs & NEEDS_SETTINGS) {
		settings_from_flags(cli, overrides);
		cli->settings = read_settings(cli, overrides, &code);
		if (!cli->settings)
			return code;
		cli->overrides =
			arena_memdup(cli->arena, overrides->v, overrides->n * sizeof *overrides->v);
		cli->overrides_n = overrides->n;
	}
	if (cli->command->needs & NEEDS_STATE)
		cli->state_dir = find_state(cli, &code);
	return code;
}

const struct settings *cli_reload(void *arg, struct err *err)
{
	struct cli *cli = arg;
	struct overrides overrides = {.v = cli->overrides, .n = cli->overrides_n};
	int code = EXIT_DONE;
	const struct settings *settings = read_settings(cli, &overrides, &code);
	if (!settings)
		err_set(err, E_BAD_INPUT, "%s has errors; the settings stay as they are",
			cli->config_path ? cli->config_path : "the file");
	return settings;
}

const char *cli_self(struct cli *cli)
{
	char path[FS_PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
	return len > 0 ? arena_strndup(cli->arena, path, (size_t)len) : "trueup";
}

void cli_engine_options(struct cli *cli, struct engine_options *options)
{
	*options = (struct engine_options){
		.settings = cli->settings,
		.config_path = cli->config_path,
		.state_dir = cli->state_dir,
		.self = cli_self(cli),
		.revision = cli->value[FLAG_REV],
		.base = cli->value[FLAG_BASE],
		.node = cli->value[FLAG_NODE],
		.offline = cli->given[FLAG_OFFLINE],
		.reload = cli_reload,
		.reload_arg = cli,
	};
}
