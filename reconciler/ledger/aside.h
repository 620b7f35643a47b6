/*
 * aside.h - what becomes of a damaged ledger. Internal to the ledger.
 */
#ifndef TRUEUP_LEDGER_ASIDE_H
#define TRUEUP_LEDGER_ASIDE_H

#include "base/buf.h"
#include "base/err.h"

/* So many damaged ledgers are kept; beyond them the oldest goes. */
#define ASIDE_KEPT 8

/*
 * Renames <state_dir>/ledger.db to ledger.db.corrupt-<time>, and its journal likewise, so that
 * SQLite's own tools find the two together. *aside gets the new path.
 */
int aside_set(const char *state_dir, struct buf *aside, struct err *err);
/* Removes journals that lie beside `path`, which does not exist: they belong to no file. */
void aside_clear_journals(const char *path);

#endif
