/*
 * named.h - which deployment of the commit in force a request means.
 */
#ifndef TRUEUP_ENGINE_NAMED_H
#define TRUEUP_ENGINE_NAMED_H

#include "engine/core.h"

struct named {
	char *deployment; /* a name, or project/stage/name */
	char *node;	  /* NULL: on every node */
};
#define AUTO_NAMED CLEANUP(named_release)
void named_release(struct named *named);

/*
 * text: a name that is unique, project/stage/name, or the id of a record, which stands for its
 * slot; node: NULL: every one. E_NOT_FOUND with what was probably meant, E_AMBIGUOUS with the
 * choices.
 */
int named_find(struct engine *engine, const char *text, const char *node, struct named *out,
	       struct err *err);
bool named_has(const struct named *named, const struct slot_key *key);

#endif
