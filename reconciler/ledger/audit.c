/*
 * Audit: entries 1, 2, 3... each with a hash over the hash before it and its own fields, and the
 * last id and hash once more as a fact, the head, so that a missing end is noticed too.
 */
#include "base/sys.h"
#include "ledger/load.h"

#include <inttypes.h>

#define HEAD "audit.head"
#define DETAIL_MAX ((size_t)64 << 10)
#define NUMBER_MAX 32

struct chain_end {
	int64_t id; /* 0: no entry yet */
	char hash[HASH_HEX_SIZE];
};

static void add_number(struct hash *hash, int64_t number)
{
	char text[NUMBER_MAX];

	snprintf(text, sizeof text, "%" PRId64, number);
	hash_add_text(hash, text);
}

/* Each field goes in with its length, and NULL is not "": no two entries give the same bytes. */
static void chain(const char *before, const struct audit_entry *entry, char out[HASH_HEX_SIZE])
{
	const char *const texts[] = {entry->actor, entry->action, entry->subject, entry->detail};
	struct hash hash;

	hash_init(&hash);
	hash_add_text(&hash, "trueup audit 1");
	hash_add_text(&hash, before);
	add_number(&hash, entry->id);
	add_number(&hash, entry->when_ms);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		hash_add_text(&hash, texts[i]);
	hash_final_hex(&hash, out);
}

static void format_head(const struct chain_end *head, char *out, size_t size)
{
	snprintf(out, size, "%" PRId64 " %s", head->id, head->hash);
}

/* Adds what makes *head its successor. */
static void advance(struct chain_end *head, const struct audit_entry *entry)
{
	char hash[HASH_HEX_SIZE];

	chain(head->hash, entry, hash);
	head->id = entry->id;
	memcpy(head->hash, hash, sizeof hash);
}

/* ---- writing ---- */

static int last_entry(struct db *db, struct chain_end *head, struct err *err)
{
	static const char sql[] = DB_SELECT(AUDIT_COLUMNS, "audit") "ORDER BY id DESC LIMIT 1";
	struct db_rows *rows AUTO_ROWS = db_query(db, sql, DB_NO_VALUES, err);
	int got = rows ? db_next_sound(rows, err) : -1;

	*head = (struct chain_end){0};
	if (got <= 0)
		return got;
	head->id = db_take_int(rows);
	(void)db_take_int(rows);
	for (int i = 0; i < 4; i++)
		(void)db_peek_text(rows);
	snprintf(head->hash, sizeof head->hash, "%s", db_peek_text(rows));
	return 0;
}

int ledger_audit(struct ledger *ledger, const char *actor, const char *action, const char *subject,
		 const char *detail, int64_t now_ms, struct err *err)
{
	static const char sql[] =
		"INSERT INTO audit(" AUDIT_COLUMNS ") VALUES(?1,?2,?3,?4,?5,?6,?7)";
	struct audit_entry entry = {.when_ms = now_ms,
				    .actor = actor,
				    .action = action,
				    .subject = subject,
				    .detail = detail};
	char text[NUMBER_MAX + HASH_HEX_SIZE];
	struct chain_end head;

	if (detail && strlen(detail) > DETAIL_MAX)
		return err_set(err, E_TOO_LARGE, "an audit entry of more than %zu bytes",
			       DETAIL_MAX);
	if (last_entry(ledger->db, &head, err) != 0)
		return -1;
	entry.id = head.id + 1;
	advance(&head, &entry);
	if (db_run(ledger->db, sql,
		   DB_VALUES(db_int(entry.id), db_int(now_ms), db_text(actor), db_text(action),
			     db_text(subject), db_text(detail), db_text(head.hash)),
		   err) != 0)
		return -1;
	format_head(&head, text, sizeof text);
	return ledger_put(ledger, HEAD, text, err);
}

/* ---- reading ---- */

static void read_entry(struct db_rows *rows, struct arena *arena, void *element)
{
	struct audit_entry *entry = element;

	entry->id = db_take_int(rows);
	entry->when_ms = db_take_int(rows);
	entry->actor = db_take_text(rows, arena);
	entry->action = db_take_text(rows, arena);
	entry->subject = db_take_text(rows, arena);
	entry->detail = db_take_text(rows, arena);
	entry->hash = db_take_text(rows, arena);
}

int load_audit(struct db *db, const struct audit_query *query, struct arena *arena,
	       struct audit_entry **out, size_t *n, struct err *err)
{
	static const char sql[] =
		DB_SELECT(AUDIT_COLUMNS,
			  "audit") "WHERE when_ms>=?1 AND (?2 IS NULL OR actor=?2) ORDER BY id";
	struct db_rows *rows =
		db_query(db, sql, DB_VALUES(db_int(query->since_ms), db_text(query->actor)), err);

	return load_rows(rows, arena, sizeof **out, read_entry, (void **)out, n, err);
}

/* ---- checking ---- */

static int check_head(struct db *db, const struct chain_end *found, struct err *err)
{
	struct arena *arena AUTO_ARENA = arena_new(0);
	char wanted[NUMBER_MAX + HASH_HEX_SIZE];
	const char *kept;

	if (load_fact(db, HEAD, arena, &kept, err) != 0)
		return -1;
	format_head(found, wanted, sizeof wanted);
	if (found->id == 0 ? kept == NULL : str_eq(kept, wanted))
		return 0;
	return err_set(err, E_LEDGER_CORRUPT,
		       "the audit chain ends with entry %" PRId64
		       ", but its head names another: %s",
		       found->id, kept ? kept : "none");
}

int audit_check_end(struct db *db, struct err *err)
{
	struct chain_end head;

	return last_entry(db, &head, err) == 0 ? check_head(db, &head, err) : -1;
}

static int check_entry(struct chain_end *head, const struct audit_entry *entry, struct err *err)
{
	if (entry->id != head->id + 1)
		return err_set(err, E_LEDGER_CORRUPT,
			       "audit entry %" PRId64 " is missing: %" PRId64
			       " stands in its place",
			       head->id + 1, entry->id);
	advance(head, entry);
	if (!str_eq(head->hash, entry->hash))
		return err_set(err, E_LEDGER_CORRUPT,
			       "audit entry %" PRId64
			       " does not fit the one before it: one of the two was changed",
			       entry->id);
	return 0;
}

int audit_check(struct db *db, size_t *entries, struct err *err)
{
	static const char sql[] = "SELECT " AUDIT_COLUMNS " FROM audit ORDER BY id";
	struct db_rows *rows AUTO_ROWS = db_query(db, sql, DB_NO_VALUES, err);
	struct arena *arena AUTO_ARENA = arena_new(0);
	struct chain_end head = {0};
	int got = -1;

	*entries = 0;
	while (rows && (got = db_next(rows, err)) > 0) {
		struct audit_entry entry = {0};

		arena_clear(arena);
		read_entry(rows, arena, &entry);
		if (check_entry(&head, &entry, err) != 0)
			return -1;
		++*entries;
	}
	return got < 0 ? -1 : check_head(db, &head, err);
}
