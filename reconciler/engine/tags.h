/*
 * tags.h - what the tags that run mean by now.
 *
 * A record runs a digest, whatever becomes of its tag. Every `tagInterval` (with jitter; first a
 * part of it after a node was seen) the daemon has the node's driver ask again, in a child of its
 * own, which no look waits for. A registry that is away, or rests (rest.h), changes nothing. What
 * differs from what was recorded is kept (plan/moved_tag.h), said once, and put into the audit log;
 * the node is then looked at, which reports it, or makes a new record where a version follows its
 * tag. A tag that moves again and again is followed ever less often (damper.h).
 */
#ifndef TRUEUP_ENGINE_TAGS_H
#define TRUEUP_ENGINE_TAGS_H

#include "engine/core.h"

#define TAGS_DEADLINE_MS 600000 /* of one round of questions */
#define TAGS_DAMPED_MS 86400000 /* the longest that a tag which moves too often has to rest */

/* End of a turn: asks about the nodes whose time has come, as far as there is room. */
void tags_turn(struct engine *engine);
/* The digest of a tag was asked for a record that is being made: nothing older is followed. */
void tags_resolved(struct engine *engine, const char *node, const char *image);
/* The node goes; sets its asking to NULL. */
void tags_let_go(struct node_run *node);

#endif
