/*
 * readers.h - children that read files of a repository and hand them over decoded.
 *
 * What anybody may have pushed meets a child first, which may crash, hang or be turned by it. What
 * it hands over is packed (schema/pack.h) and trusted no further than its bytes. Only a file with
 * problems is decoded here too, once a child got through it: that way its problems are told by the
 * same code as everywhere.
 *
 * Many files are shared out among a few children, a batch at a time, each taking the next one when
 * it is done with its own.
 */
#ifndef TRUEUP_ENGINE_READERS_H
#define TRUEUP_ENGINE_READERS_H

#include "engine/job.h"
#include "schema/decode.h"
#include "source/tree.h"

#define READERS_DEADLINE_MS 60000

struct readers_request {
	struct repo *repo;
	const char *url, *state_dir; /* for a child, which opens the repository for itself */
	const struct tree_entry *const *entries;
	size_t n;	     /* at least one */
	struct file **files; /* one for each entry, NULL: gets the caller's reference */
};

struct readers;
/*
 * The request's pointers must live until `ended`, which is called once, never from here itself;
 * failure NULL: all files are there. Of a child that dies or overruns the failure is E_CHILD_DIED,
 * and says at which file it was. NULL and *err when no child could be started.
 */
struct readers *readers_start(struct loop *loop, const struct readers_request *request,
			      void (*ended)(void *owner, const struct err *failure), void *owner,
			      struct err *err);
/* Ends them without calling the owner. Sets the variable to NULL. */
void readers_cancel(struct readers **readers);

struct compose_file;
/* What reading Compose files takes, from what a tree gives; borrowed. */
void compose_files_of(const struct tree_file *files, size_t n, struct compose_file *out);
/* A folder that is read as a whole, from its files. */
struct file *decode_whole(const struct tree_entry *entry, const struct tree_file *files, size_t n);
/* The same for one file, here. NULL only when it cannot be read. */
struct file *read_entry(struct repo *repo, const struct tree_entry *entry, struct err *err);

#endif
