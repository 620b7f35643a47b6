/*
 * story.h - what happened before a plan: commits that were deployed, well or not, and what somebody
 * did on the nodes. A ledger and nodes in memory, just deep enough to plan against.
 *
 * A story is a folder: 1/, 2/, ... hold the files that each commit adds or changes over `common`
 * and the commits before (an empty file removes one). The last commit is planned, the others were
 * deployed. story.json says what else happened, by commit, and before the plan ("look"):
 *
 *	{"about": "...", "1": [event...], "look": [event...]}
 *
 *	{"fails": "shop/production/web", "error": text}   the deployment of this commit failed
 *	{"hangs": "shop/production/web"}                  it is in progress, new ones beside the old
 *	{"waits": "shop/production/web"}                  it is in progress, all is as wanted
 *	{"retry": "shop/production/web"}                  somebody asked to try the failed one again
 *	{"container": name, "node": name, ...}            gone: true, state, exitCode, health, env
 *	{"stranger": name, "node", "project", "stage", "deployment"}   ours by label
 *	{"moved": image}      its tag means another digest      {"missing": image}   it is not there
 *	{"asked": image, "node": name}    its tag was asked again, and means another digest; with
 *					  "damped": true it moved too often to be followed
 *	{"unreachable": node, "error": text}              {"offline": true}: no node is asked
 *	{"forgotten": true}   the ledger was lost         {"adopting": true}   first look
 *	{"unit": "shop/production", "state": "unknown"}   current, held, gone, unknown
 */
#ifndef TRUEUP_TESTS_STORY_H
#define TRUEUP_TESTS_STORY_H

#include "tests/support/test.h"

#include "plan/plan.h"

struct story;
/* Plays everything but the last commit; fails the test when the story makes no sense. */
struct story *story_play(const char *folder, const char *common);
void story_free(struct story **story);
#define AUTO_STORY CLEANUP(story_free)

/* The plan of the last commit; lives as long as the story. */
struct plan *story_plan(struct story *story);
/* What a plan of the last commit is made from; change it and plan again. */
const struct plan_input *story_input(struct story *story);
/* The records and containers before the plan, for people. */
void story_describe(const struct story *story, struct buf *out);

#endif
