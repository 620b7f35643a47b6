/*
 * json.h - jansson, set up the safe way. Jansson's json_t is a value type that any layer may use.
 * Its allocator is mem_alloc, so that no constructor gives NULL for want of memory; json_string
 * still does so for bytes that are not UTF-8 (json_put_str does not).
 */
#ifndef TRUEUP_BASE_JSON_H
#define TRUEUP_BASE_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

#define AUTO_JSON CLEANUP(json_decref_ptr)
void json_decref_ptr(json_t **value);

/*
 * Any JSON value. Duplicate keys, trailing bytes, numbers that do not fit, nesting beyond jansson's
 * limit (E_BAD_INPUT) and more than max bytes (E_TOO_LARGE) are errors. New reference, or NULL.
 */
json_t *json_read(const char *text, size_t len, size_t max, struct err *err);
/* An object that was kept as text; an empty one where there is none. New reference. */
json_t *json_kept(const char *text, size_t max);
/* Compact with sorted keys: the same value always gives the same bytes. Frees nothing. */
void json_write(const json_t *value, struct buf *out);
/* Indented by two, keys in order of insertion: for people. Ends with a newline. */
void json_print(const json_t *value, struct buf *out);

/* Members by name with a default when absent or of another type. */
const char *json_str(const json_t *object, const char *key, const char *otherwise);
int64_t json_int(const json_t *object, const char *key, int64_t otherwise);
bool json_flag(const json_t *object, const char *key, bool otherwise);
/* Sets a string member, or null for NULL. Bytes that are not UTF-8 become U+FFFD. */
void json_put_str(json_t *object, const char *key, const char *text);

#endif
