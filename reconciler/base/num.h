/*
 * num.h - the only place where text becomes a number, and back.
 *
 * All parsers take the whole text or fail: no leading or trailing space, no
 * sign unless said, no superfluous leading zero, no overflow. They return 0,
 * or -1 and leave *out alone.
 */
#ifndef TRUEUP_BASE_NUM_H
#define TRUEUP_BASE_NUM_H

#include "base/sys.h"

/* Decimal digits; a "-" in front only where min is negative. */
int num_parse_int(const char *text, int64_t min, int64_t max, int64_t *out);
/* "10s" "5m" "2h" "14d" "250ms", and sums from large to small "1h30m"; to milliseconds. */
int num_parse_duration(const char *text, int64_t *out_ms);
/* "64Mi" "1Gi" "500M" "1000"; Ki Mi Gi Ti are powers of 1024, k K M G T of 1000; to bytes. */
int num_parse_size(const char *text, int64_t *out_bytes);
/* "0.5" "2" "500m"; to thousandths of a processor. */
int num_parse_cpu(const char *text, int64_t *out_milli);

#define NUM_TEXT_MAX 32
/*
 * An exact form that the parser above reads back; out has NUM_TEXT_MAX bytes and is returned.
 * Values below 0 are shown as 0. Durations are in one unit where that takes at most three digits
 * ("90s", "36h"), else a sum ("1h1m1s"); sizes and processors in the shortest form.
 */
const char *num_format_duration(int64_t ms, char *out);
const char *num_format_size(int64_t bytes, char *out);
const char *num_format_cpu(int64_t milli, char *out);

#endif
