/*
 * tables.h - the ledger's tables, and whether a file holds them.
 *
 * Every row carries its own checksum: the column `sum` is generated from all others when the row is
 * written, and a CHECK compares the two. So the check at start finds each changed byte, in a text
 * as well as in the tree of pages, and each read of a row looks again (DB_SELECT, db_next_sound).
 */
#ifndef TRUEUP_LEDGER_TABLES_H
#define TRUEUP_LEDGER_TABLES_H

#include "ledger/db.h"

#define LEDGER_FORMAT 1 /* PRAGMA user_version */

/* Who a row of `record` or `step` belongs to. */
#define SLOT_COLUMNS "project,stage,deployment,node"
#define IS_SLOT "project=?1 AND stage=?2 AND deployment=?3 AND node=?4"
#define SLOT_VALUES(slot)                                                                          \
	db_text((slot)->project), db_text((slot)->stage), db_text((slot)->deployment),             \
		db_text((slot)->node)

/* All columns of each table but `sum`, in their order. */
#define RECORD_COLUMNS                                                                             \
	"id," SLOT_COLUMNS ",product,version,parent,type,prefix,source_id,input_id,release_id,"    \
	"status,succeeded,active,kept,reason,commit_id,author,tries,created_ms,started_ms,"        \
	"finished_ms,error_code,error_step,error_text,error_log"
#define CONTENT_COLUMNS "record,json"
#define FROZEN_COLUMNS                                                                             \
	"project,product,version,parent,content_id,content,commit_id,node,when_ms,record"
#define STEP_COLUMNS "id," SLOT_COLUMNS ",record,op,name,intent_ms,result_ms,ok,detail"
#define UNIT_COLUMNS "project,stage,accepted,refused,diagnostics"
#define FACT_COLUMNS "name,value"
#define APPROVAL_COLUMNS "commit_id,removals,actor,when_ms"
#define SLOT_STATE_COLUMNS SLOT_COLUMNS ",json"
#define NODE_STATE_COLUMNS "node,json"
#define AUDIT_COLUMNS "id,when_ms,actor,action,subject,detail,hash"

/* The columns, and behind them whether the row is sound. */
#define DB_SELECT(columns, table) "SELECT " columns ",sum=checksum(" columns ") FROM " table " "

/* Makes all tables in an empty database, in one transaction. */
int tables_create(struct db *db, struct err *err);
/*
 * Makes sure that a writer can go on with the file: looks at every page, every row, every reference
 * and the text of the schema, and migrates an older format. E_LEDGER_CORRUPT, E_LEDGER_NEWER;
 * E_LEDGER when the file cannot be written to.
 */
int tables_open(struct db *db, struct err *err);
/*
 * The same for a reader, who changes nothing and has less time: every row it reads is looked at
 * anyway (db_next_sound); every page, so that no row is missing either, only in files of up to this
 * size. An older format is E_LEDGER: the writer's to migrate.
 */
#define TABLES_GLANCE_MAX ((int64_t)4 << 20)
int tables_open_to_read(struct db *db, struct err *err);

#endif
