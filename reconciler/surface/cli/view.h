/*
 * view.h - what reading commands share: the ledger at one instant, and how a DEPLOYMENT is named.
 */
#ifndef TRUEUP_SURFACE_VIEW_H
#define TRUEUP_SURFACE_VIEW_H

#include "ledger/ledger_read.h"
#include "surface/cli/cli.h"

/* Opens the view of cli->state_dir, or prints why not. 0, or -1 with the exit code in *code. */
int view_open(struct cli *cli, unsigned parts, struct ledger_view **view, int *code);

/* Does a slot match --project, --stage and --node? */
bool view_matches(const struct cli *cli, const struct slot_key *slot);
/* One record as in status and deployment --json; new reference. */
json_t *view_record_json(const struct record *record);
/* The state that the reconciler wrote for a slot, or NULL; new reference. */
json_t *view_slot_state(const struct ledger_view *view, const struct slot_key *slot);

/*
 * The records of a DEPLOYMENT argument: a record id, a name that is unique, or project/stage/name.
 * Prints what is wrong (66 not found, 64 ambiguous, with the choices). *n records in *out (arena of
 * the cli), newest last; by id: that record alone.
 */
int view_find(struct cli *cli, const struct ledger_view *view, const char *argument,
	      const struct record ***out, size_t *n);

/* The last words of a container, each line behind `margin`, without control bytes. */
void view_put_log(struct cli *cli, const char *log, const char *margin);
/* What else there is to know of the containers of a slot's state, each line behind `margin`. */
void view_put_hints(struct cli *cli, const json_t *containers, const char *margin);
/* Of which container the tag means something else by now, likewise. */
void view_put_tags(struct cli *cli, const json_t *tags, const char *margin);
/* "project/stage/deployment" into out (256 bytes). */
const char *view_slot_name(const struct slot_key *slot, char out[256]);
/* Wall time for people: "2026-01-02 03:04:05Z", "-" for 0; out has CLOCK_TEXT_MAX bytes. */
const char *view_time(int64_t wall_ms, char *out);
/* The reverse, of a flag: an RFC 3339 time, or how long ago ("10m"). 0, or -1. */
int view_parse_time(const char *text, int64_t *wall_ms);
/* How long ago that is: "now", "5m ago", "3h ago", "12d ago", "-" for 0; out as above. */
const char *view_ago(int64_t wall_ms, char *out);

#endif
