/*
 * story_parts.h - a story in the making; shared by the files of story.
 */
#ifndef TRUEUP_TESTS_STORY_PARTS_H
#define TRUEUP_TESTS_STORY_PARTS_H

#include "tests/support/story.h"

#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"

#define FILE_MAX_SIZE ((size_t)1 << 20)
#define STORY_OWNER "acme/test"

/* A node as it is between two commits. */
struct story_node {
	const char *name;
	const char *unreachable;
	VEC(struct workload) workloads;
	VEC(struct volume_seen) volumes;
};

struct story {
	struct arena *arena;
	const char *folder;
	json_t *script;
	struct map texts; /* path to text, of the commit in hand */
	VEC(struct model *) models;
	VEC(struct desired *) desireds;
	VEC(struct record) records; /* by id */
	VEC(struct frozen) frozen;
	VEC(struct story_node) nodes;
	struct map moved, missing, units;
	json_t *tags; /* plan/moved_tag.h */
	struct diags diags;
	bool offline, adopting;
	int commit; /* number of the one in hand */

	/* for plans */
	struct plan_input input;
	struct history history;
};

/* ---- story_commit.c: what a commit says, and what a plan of it is made from ---- */
/* Files below a folder, over those that are there. */
void story_read_tree(struct story *story, const char *folder, const char *below);
void story_take_commit(struct story *story);
struct story_node *story_node_of(struct story *story, const char *name);
const char *story_digest_of(struct story *story, const char *image);

/* ---- story_deploy.c: what happened to it ---- */
void story_deploy(struct story *story);
void story_remove(struct story_node *node, const char *workload);
/* NULL: none. */
json_t *story_events(const struct story *story, const char *key);

#endif
