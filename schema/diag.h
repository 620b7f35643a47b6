/*
 * diag.h - what is wrong with a manifest, and how it is shown.
 *
 * All problems of a commit are gathered, sorted by file, line and column, and
 * shown the same way by validate, plan, run and the ledger.
 */
#ifndef TRUEUP_SCHEMA_DIAG_H
#define TRUEUP_SCHEMA_DIAG_H

#include <jansson.h>

#include "base/buf.h"
#include "schema/model.h"

enum diag_code {
	DIAG_NONE,
#define CODE(constant, code, text) DIAG_##constant,
#include "schema/codes.def"
#undef CODE
	DIAG_CODES,
};
const char *diag_code_name(enum diag_code code);
const char *diag_code_text(enum diag_code code);
/* DIAG_NONE when there is none of that name. */
enum diag_code diag_code_find(const char *name);

enum diag_severity { DIAG_ERROR, DIAG_NOTE };

struct diag {
	enum diag_severity severity;
	enum diag_code code;
	struct unit unit;    /* what it makes unacceptable */
	const char *path;    /* NULL: the commit as a whole */
	struct loc at;	     /* line 0: the file as a whole */
	const char *message; /* one line, without a full stop */
	const char *hint;    /* NULL, or what to do; shown beside the caret */
	const char
		*excerpt; /* the line it stands in, at most 200 characters; NULL: not known yet */
	const char *related_path; /* NULL, or where the other half is ("first defined here") */
	struct loc related;
};

/*
 * A growing list; all texts, units and paths are copied into its arena. All-zero is empty and
 * ready. Past DIAGS_MAX only the first of a run of problems in one unit is kept: a unit with a
 * problem always has at least one in the list.
 */
struct diags {
	struct diag *v;
	size_t n, cap;
	struct arena *arena;
	size_t errors;	       /* DIAG_ERRORs added, dropped ones included */
	size_t dropped;	       /* found beyond DIAGS_MAX and not kept */
	struct unit last_unit; /* of the newest one, kept or dropped */
	struct diag spare;     /* what diags_add returns for a dropped one */
};
#define DIAGS_MAX 10000
#define AUTO_DIAGS CLEANUP(diags_release)
void diags_release(struct diags *diags);
void diags_clear(struct diags *diags);

/*
 * Adds an error; the result is valid until the next addition, so that hint and related_* can be set
 * (texts of one's own: diags_text).
 */
struct diag *diags_add(struct diags *diags, enum diag_code code, const struct unit *unit,
		       const char *path, struct loc at, const char *fmt, ...) PRINTF_LIKE(6, 7);
struct diag *diags_addv(struct diags *diags, enum diag_code code, const struct unit *unit,
			const char *path, struct loc at, const char *fmt, va_list args)
	PRINTF_LIKE(6, 0);
/* The same as notes: they refuse nothing. */
struct diag *diags_note(struct diags *diags, enum diag_code code, const struct unit *unit,
			const char *path, struct loc at, const char *fmt, ...) PRINTF_LIKE(6, 7);
struct diag *diags_notev(struct diags *diags, enum diag_code code, const struct unit *unit,
			 const char *path, struct loc at, const char *fmt, va_list args)
	PRINTF_LIKE(6, 0);
/* Copies with printf into the list's arena. */
const char *diags_text(struct diags *diags, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Copies n of them, texts included. */
void diags_append(struct diags *diags, const struct diag *from, size_t n);
/* By path, line, column, code, message; equal ones become one. */
void diags_sort(struct diags *diags);

/* Gives the bytes of a file as it was read, for excerpts; -1 when it cannot. */
typedef int (*diag_reader)(void *arg, const char *path, struct buf *out);
/* Fills every missing excerpt. */
void diags_excerpts(struct diags *diags, diag_reader read, void *arg);

enum diag_style { DIAG_PLAIN, DIAG_COLOUR };
/*
 * path:6:10: error[unknown-version]: product storefront has no version 1.4.1
 *   |
 * 6 | version: 1.4.1
 *   |          ^^^^^ did you mean 1.4.0?
 */
void diag_render(const struct diag *diag, enum diag_style style, struct buf *out);
/*
 * {file, line, column, code, message, hint}, for a note also severity, and related {file, line,
 * column} where there is one; new reference.
 */
json_t *diag_json(const struct diag *diag);
json_t *diags_json(const struct diag *v, size_t n);
/*
 * A log in SARIF 2.1.0 (diag_sarif.c), for code hosts that show problems beside the lines of a pull
 * request: one run, one rule for each code that occurs, one result for each diagnostic, the hint
 * as a second sentence of its message. root: the configuration's folder in its repository, from
 * which addresses are to count; NULL, "" or ".": the repository's top. New reference.
 */
json_t *diags_sarif(const struct diag *v, size_t n, const char *root);
/* The reverse of diag_json, for the ledger and the control socket; texts go to the list's arena. */
int diag_from_json(const json_t *object, const struct unit *unit, struct diags *into);

#endif
