/*
 * compose.h - Compose files as they are: from the files of one folder to the images of a product.
 *
 * Pure: nothing is read from disk, nothing is taken from the reconciler's environment. What comes
 * out is what would have been written by hand under `images:`, read by the same functions, with
 * places that point into the Compose file; so whoever has a Compose file has images, and everything
 * behind them (merging, checks, ids, plans) knows nothing of Compose.
 *
 *	compose_read(&folder, "compose.yaml", &names, arena, &unit, &out, &diags)
 *
 * The Compose specification is the reference. compose.def says of each of its keys what becomes of
 * it: carried, refused with a code, or ignored with a note. Nothing is dropped without a word.
 */
#ifndef TRUEUP_SCHEMA_COMPOSE_H
#define TRUEUP_SCHEMA_COMPOSE_H

#include "schema/diag.h"
#include "schema/model.h"

/* One file of the commit, below the folder of the Compose file. */
struct compose_file {
	const char *name;  /* relative to the folder: "compose.yaml", "conf/prometheus.yml" */
	const char *bytes; /* NULL: it was not read because of its size */
	size_t size;
	bool executable; /* it is put into containers with mode 0755, not 0644 */
};
struct compose_folder {
	const char *path; /* from the root of the configuration, without a slash at its end */
	const struct compose_file *files; /* all of them, sorted by name (strcmp) */
	size_t files_n;
};
struct compose_names {
	const char *project; /* what COMPOSE_PROJECT_NAME is where the file has no `name:` */
};

#define COMPOSE_CONTENT_MAX ((size_t)1 << 20) /* bytes of one mounted file */
#define COMPOSE_MOUNTED_MAX ((size_t)4 << 20) /* of all that are mounted, each time counted */
#define COMPOSE_SERVICES_MAX 100	      /* images of one product */
#define COMPOSE_FILES_MAX 100 /* files that make one Compose file, by include and extends */

struct compose {
	/*
	 * In order of start: what is depended on stands first, otherwise as in the file. Container
	 * names have Compose's own form (upper case, dots, underscores). {{ }} stays as written.
	 */
	struct image_list images;
	const char
		*name; /* of the project: the file's `name`, or the one it was given; never NULL */
};

/*
 * Reads the Compose file with this name (one of the folder's). Everything lives in arena, which
 * also keeps no pointer into the folder. False when there were errors: what could be read is in
 * *out all the same, so that what names it is not called unknown. Problems and remarks (where a
 * mount went, which key is ignored) go to diags, as errors and notes with their place.
 */
bool compose_read(const struct compose_folder *folder, const char *file,
		  const struct compose_names *names, struct arena *arena, const struct unit *unit,
		  struct compose *out, struct diags *diags);

#endif
