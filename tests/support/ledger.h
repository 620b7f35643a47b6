/*
 * ledger.h - for the tests of the ledger: a folder with a ledger in it, records by the dozen, a
 * story whose every prefix can be recognised, and a disk that fails.
 */
#ifndef TRUEUP_TESTS_LEDGER_H
#define TRUEUP_TESTS_LEDGER_H

#include "tests/support/test.h"

#include "ledger/db.h"
#include "ledger/ledger.h"
#include "ledger/ledger_read.h"

/* A group's or a test's state. */
struct ledger_fixture {
	char *dir;
	struct ledger *ledger;
	struct arena *arena;
	struct err err;
};
/* For cmocka_unit_test_setup_teardown: *state is a struct ledger_fixture with an open ledger. */
int ledger_fixture_setup(void **state);
int ledger_fixture_teardown(void **state);
/* Closes the ledger and opens it again; fails the test unless that gives `how`. */
void ledger_fixture_reopen(struct ledger_fixture *fixture, enum ledger_opened how);

/*
 * Closes the ledger and runs SQL on its file, with our checksum at hand: what somebody could do who
 * knows the file well.
 */
void test_ledger_tamper(struct ledger_fixture *fixture, const char *sql);

/* A record of shop/production/<deployment> on edge-1 with all its texts; type incremental. */
struct record test_record(const char *deployment, const char *version);
/* begin, add, commit; returns the id. */
int64_t test_add(struct ledger_fixture *fixture, const struct record *record);
/* begin, set_status, commit. */
void test_move(struct ledger_fixture *fixture, int64_t id, enum record_status to,
	       const char *reason);
/* preparing -> inProgress -> successful */
int64_t test_add_successful(struct ledger_fixture *fixture, const struct record *record);

/*
 * The story: transaction i (from 1) adds record i with a content that names it, an audit entry and
 * a step, and puts the fact "count" to i. test_story_check fails the test unless the folder holds
 * exactly the first n transactions for some n, which it returns.
 */
int test_story_write(struct ledger *ledger, int64_t i, struct err *err);
/* Is every field of the record, content included, what the story wrote under its id? */
bool test_story_is(const struct record *record);
int64_t test_story_check(const struct ledger_view *view);
/* Same through the reader's door. */
int64_t test_story_read(const char *dir);

/* Gives this process mounts of its own, where that is allowed. */
bool test_own_mounts(void);

/* ---- a disk that fails: counts each change that SQLite makes to a file ---- */

enum disk_fault {
	DISK_FAILS = 1, /* input/output error */
	DISK_FULL,	/* no space left */
	DISK_KILLS,	/* SIGKILL in the middle of it: half of the bytes are written */
};
/* From now on, every file opened by SQLite in this process goes over this disk (nothing is synced).
 */
void test_disk_install(void);
/* The nth change from now on (from 1) meets the fault, and `times` - 1 more after it. n 0: none. */
void test_disk_fail(long n, long times, enum disk_fault fault);
/* Changes since then. */
long test_disk_changes(void);

#endif
