/*
 * configuration.h - a whole configuration for a command without a reconciler: of a folder on disk,
 * or of a commit.
 */
#ifndef TRUEUP_ENGINE_CONFIGURATION_H
#define TRUEUP_ENGINE_CONFIGURATION_H

#include "engine/engine.h"
#include "engine/load.h"
#include "plan/desired.h"

/* All-zero is empty. */
struct configuration {
	struct arena *arena;
	struct repo *repo;  /* NULL: it is a folder's */
	const char *folder; /* or NULL */
	struct tree tree;
	struct file_set files;
};
/* The source's texts must outlive the configuration. On failure there is nothing to release. */
int configuration_load(const struct engine_source *source, struct configuration *out,
		       struct err *err);
void configuration_release(struct configuration *configuration);
#define AUTO_CONFIGURATION CLEANUP(configuration_release)
/*
 * Its model and desired state, checked by themselves: without a ledger what only history knows is
 * not known. The caller frees both, desired first.
 */
void configuration_build(const struct configuration *configuration, struct model **model,
			 struct desired **desired, struct diags *diags);
/* A diag_reader; arg is the configuration. */
int configuration_read(void *arg, const char *path, struct buf *out);

#endif
