/*
 * decode.h - from the bytes of one file to documents; the same for author, review and apply.
 *
 * Calling sequence: file_decode for each file, model_build over all, check_model. Settings have a
 * door of their own. A record's content, which the ledger keeps in canonical form (canon.h), comes
 * back through decode_object: one decoder reads everything.
 */
#ifndef TRUEUP_SCHEMA_DECODE_H
#define TRUEUP_SCHEMA_DECODE_H

#include "base/err.h"
#include "schema/compose.h"
#include "schema/diag.h"
#include "schema/model.h"

/* What a path in the configuration says about the file. */
enum path_class {
	PATH_IGNORED,	/* not YAML, or under a dot folder: of no interest */
	PATH_ELSEWHERE, /* YAML outside the known folders: a note from validate */
	PATH_MANIFEST,	/* *unit is filled */
};
/* unit's names point into *names (two buffers of 64 bytes the caller gives), path is inner. */
struct unit_names {
	char project[64], stage[64];
};
enum path_class path_classify(const char *path, struct unit *unit, struct unit_names *names);

/*
 * Decodes one file. Never NULL; problems are in file->diags. A document whose kind, scope and name
 * are fine is in file->documents even with problems in it, so that references to it are not called
 * unknown: what is wrong is unset, with its bit in head.bad, and even a required field may be
 * missing. Only a file without errors has complete documents. path must be PATH_MANIFEST. The bytes
 * are not kept.
 */
struct file *file_decode(const char *path, const struct oid *blob, const char *bytes, size_t len);

/*
 * The same for a folder that is read as a whole: path is that of its Compose file, tree the
 * folder's id. file->compose is what it consists of; in a stage it is a stack, a product and a
 * deployment under the folder's name, derived from it.
 */
struct file *compose_decode(const char *path, const struct oid *tree,
			    const struct compose_folder *folder);

/*
 * Settings from `bytes` (NULL: none) with `overrides`
 * ("policy.hostDriver.imageRoots=/srv/a,/srv/b", the form of the command line's flags) over them.
 * The result lives in `arena`.
 */
struct settings *settings_decode(struct arena *arena, const char *path, const char *bytes,
				 size_t len, const char *const *overrides, size_t overrides_n,
				 struct diags *diags);

/*
 * Reads canonical JSON of an OBJECT back, also from another JSON writer: type_name is the name in
 * kinds.def ("container"). NULL and E_BAD_INPUT when it is not one.
 */
void *decode_object(struct arena *arena, const char *type_name, const char *json, size_t len,
		    struct err *err);

#endif
