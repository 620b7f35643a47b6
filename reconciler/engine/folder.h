/*
 * folder.h - manifests from a folder on disk, for the author who has not committed yet.
 */
#ifndef TRUEUP_ENGINE_FOLDER_H
#define TRUEUP_ENGINE_FOLDER_H

#include "engine/load.h"

/*
 * Lists and decodes every *.yaml and *.yml below the folder, by the rules of tree.h: dot folders
 * are passed over, links are problems. Texts in arena. E_NOT_FOUND, E_TOO_LARGE.
 */
int folder_load(const char *folder, size_t max_files, struct arena *arena, struct tree *tree,
		struct file_set *set, struct err *err);
/*
 * Every file of a folder with a Compose file and below, sorted by path, within the limits of
 * tree_read_whole. In arena.
 */
int folder_read_whole(const char *folder, struct arena *arena, struct tree_file **files, size_t *n,
		      struct err *err);
/* Writes one file of a configuration, and makes the folders it needs. */
int folder_write(const char *folder, const char *path, const char *text, size_t len,
		 struct err *err);
/* A diag_reader; arg is the folder's path. */
int folder_read(void *arg, const char *path, struct buf *out);

#endif
