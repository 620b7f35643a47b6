/*
 * utf8.h - telling UTF-8 from other bytes (RFC 3629).
 */
#ifndef TRUEUP_BASE_UTF8_H
#define TRUEUP_BASE_UTF8_H

#include "base/sys.h"

#define UTF8_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/*
 * Length in bytes (1 to 4) of the well-formed sequence at the start of text, 0 when there is none:
 * overlong forms, surrogates, values past U+10FFFF, cut sequences. len must not be 0.
 */
size_t utf8_length(const char *text, size_t len);
/* True when all of text is well formed. */
bool utf8_is_valid(const char *text, size_t len);
/* The largest length <= len at which text can be cut without splitting a sequence. */
size_t utf8_cut(const char *text, size_t len);
/* How many characters text has: its columns on a terminal, wide and combining ones apart. */
size_t utf8_count(const char *text, size_t len);
/* True for C0, DEL and C1 (U+0080 to U+009F); text starts with a well-formed sequence. */
bool utf8_is_control(const char *text, size_t sequence_len);
/* True when all of text is well formed and none of it a control character. */
bool utf8_is_plain(const char *text, size_t len);

#endif
