/*
 * canon.h - the one canonical form: for ids, for the ledger, for differences.
 *
 * Canonical JSON of an object holds its set fields only, keys sorted by byte, no white space, and
 * each value in its shortest manifest form (durations "10s", sizes "64Mi", cpu "0.25"), lists that
 * merge by key sorted by that key. A field set to its default differs from an unset one. It is a
 * manifest fragment: decode_object reads it back. Because only set fields appear, a new field or
 * default of a later version changes no id.
 */
#ifndef TRUEUP_SCHEMA_CANON_H
#define TRUEUP_SCHEMA_CANON_H

#include "base/buf.h"
#include "schema/model.h"

enum canon_part {
	CANON_RELEASE = 1,    /* fields flagged REL */
	CANON_OPERATIONS = 2, /* fields flagged OPS */
	CANON_ALL = 3,
};

void canon_container(const struct container *config, enum canon_part part, struct buf *out);
void canon_image(const struct image *image, enum canon_part part, struct buf *out);
/* A mapping of texts. */
void canon_pairs(const struct pairs *pairs, struct buf *out);
/* JSON as other writers have it, with that escaped which JSON allows as it is and YAML does not. */
void canon_from_json(const char *json, size_t len, struct buf *out);

/* One differing field, as a dotted path: "env.LOG_LEVEL", "ports.8080.host",
 * "healthCheck.interval". */
struct field_diff {
	const char *field;
	const char *from; /* canonical text, a single text without its quotes; NULL: was not set */
	const char *to;	  /* NULL: is no longer set */
	bool release;	  /* REL, else OPS */
	struct loc at;	  /* of the new value, when known */
	const char *path; /* file of the new value, when known */
};
struct field_diffs {
	struct field_diff *v;
	size_t n;
};
/* Differences in order of field; empty exactly when the canonical forms are equal. */
struct field_diffs canon_diff(struct arena *arena, const struct container *from,
			      const struct container *to, enum canon_part part);

#endif
