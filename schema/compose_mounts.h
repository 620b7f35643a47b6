/*
 * compose_mounts.h - inside of compose*.c: what a service sees of the node and of the commit.
 */
#ifndef TRUEUP_SCHEMA_COMPOSE_MOUNTS_H
#define TRUEUP_SCHEMA_COMPOSE_MOUNTS_H

#include "schema/compose_work.h"

/* Entries of `volumes` and `files`; their keys say only where they come from. */
struct compose_mounts {
	struct compose_work *work;
	const struct compose_service *service;
	struct compose_build volumes, files;
};

enum compose_mount_kind { MOUNT_BIND, MOUNT_NAMED, MOUNT_TMP, MOUNT_ANONYMOUS };
struct compose_mount {
	enum compose_mount_kind kind;
	const struct doc_node *at;
	const char *source, *target; /* source: not of TMP and ANONYMOUS */
	bool read_only;
};

/* Puts one where it belongs; reports what cannot be. */
void compose_mount_take(struct compose_mounts *mounts, struct compose_mount *mount);
/* A file of the commit at a path of the container; mode NULL: as in the commit. */
bool compose_mount_file(struct compose_mounts *mounts, const struct doc_node *at,
			const struct compose_file *file, const char *path, const char *mode);
void compose_mount_add(struct compose_mounts *mounts, struct compose_build *list,
		       const struct doc_node *at, struct compose_build *entry);

#endif
