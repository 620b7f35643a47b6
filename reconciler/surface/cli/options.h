/*
 * options.h - where values come from: flag > environment > .trueup > the user's own file > settings
 * > default.
 */
#ifndef TRUEUP_SURFACE_OPTIONS_H
#define TRUEUP_SURFACE_OPTIONS_H

#include "base/vec.h"
#include "surface/cli/cli.h"

/* Settings given as flags: "interval=5s". */
struct overrides {
	const char **v;
	size_t n, cap;
};
/* Is it the name of a setting (first part before a dot)? */
bool overrides_is_setting(const char *name, size_t len);
/* Writes the names of the settings, SETTINGS_MAX at most, into names; their number. */
#define SETTINGS_MAX 64
size_t overrides_names(const char **names);
void overrides_add(struct overrides *overrides, struct arena *arena, const char *name, size_t len,
		   const char *value);

/* Fills state_dir and settings as far as the command needs them; prints what is wrong. Exit code.
 */
int options_resolve(struct cli *cli, struct overrides *overrides);

#endif
