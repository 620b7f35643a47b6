/*
 * ledger_read.h - the reader's side: status, why, deployment, audit, plan, the HTTP surface.
 *
 * A reader never waits for another's pass and never creates anything. It copies
 * out in one short read-only transaction before anybody prints a byte. Only when
 * a killed writer's journal lies there (which read-only cannot read past), and
 * the state lock can be had (nobody runs), is the file opened for writing for a
 * moment, so that SQLite rolls the journal back. A live writer is waited for up
 * to 10 s.
 *
 * Errors: E_NOT_PERMITTED (the folder is another user's), E_STATE_FOREIGN (a folder that is not
 * ours and holds no ledger), E_LEDGER_CORRUPT, E_LEDGER_NEWER, E_LEDGER_UNFINISHED (a journal that
 * cannot be rolled back: the file system is read-only), E_LEDGER.
 */
#ifndef TRUEUP_LEDGER_LEDGER_READ_H
#define TRUEUP_LEDGER_LEDGER_READ_H

#include "ledger/ledger.h"

struct slot_state {
	struct slot_key slot;
	const char *json;
};
struct node_state {
	const char *node;
	const char *json;
};
struct audit_entry {
	int64_t id, when_ms;
	const char *actor, *action, *subject, *detail;
	const char *hash; /* over this entry and the hash before it */
};

/* Everything at one instant, in one arena. A state folder that is missing is an empty ledger. */
struct ledger_view {
	struct arena *arena;
	bool exists;
	struct history history; /* the records that plans need */
	struct record *records; /* every record, by id, with content only if asked for */
	size_t records_n;
	struct ledger_unit *units;
	size_t units_n;
	struct slot_state *slots;
	size_t slots_n;
	struct node_state *nodes;
	size_t nodes_n;
	struct ledger_approval *approvals;
	size_t approvals_n;
	/* From the small values; NULL: none. problem: why the tip could not be seen. */
	const char *tip, *branch, *accepted, *base, *repo, *owner, *problem;
	const char *adopting;	  /* set: a new ledger, whose orphans wait for approve */
	const char *slow_stops;	  /* plan/slow_stop.h */
	const char *moved_tags;	  /* plan/moved_tag.h */
	const char *slots_wanted; /* number of slots that the commit in force asks for, as text */
};
enum view_parts {
	VIEW_STATUS = 1,  /* history, units, slots, nodes */
	VIEW_RECORDS = 2, /* every record */
	VIEW_CONTENT = 4, /* with content, where records are asked for (history too) */
};
int ledger_view_open(const char *state_dir, unsigned parts, struct ledger_view **out,
		     struct err *err);
void ledger_view_close(struct ledger_view **view);

/* The steps of one record, oldest first. */
int ledger_view_steps(const char *state_dir, int64_t record, struct arena *arena,
		      struct ledger_step **out, size_t *n, struct err *err);

struct audit_query {
	const char *actor; /* NULL: all */
	int64_t since_ms;  /* 0: all */
};
int audit_read(const char *state_dir, const struct audit_query *query, struct arena *arena,
	       struct audit_entry **out, size_t *n, struct err *err);
/*
 * Recomputes the chain. 0 whole; E_LEDGER_CORRUPT naming the first entry that does not fit
 * (changed, missing, inserted, moved, or missing at the end). Who can write the file can also make
 * a new chain over a changed story; only a head kept elsewhere (the last entry's hash) shows that.
 */
int audit_verify(const char *state_dir, size_t *entries, struct err *err);

#endif
