/*
 * clock.h - two clocks: one to wait with, one to show.
 *
 * Timers and deadlines use CLOCK_BOOTTIME, which never jumps. Wall time is
 * for display and for records, never for a decision.
 */
#ifndef TRUEUP_BASE_CLOCK_H
#define TRUEUP_BASE_CLOCK_H

#include "base/sys.h"

/* Milliseconds since boot, sleep included. */
int64_t clock_boot_ms(void);
/* Microseconds since boot. */
int64_t clock_boot_us(void);
/* Milliseconds since 1970 UTC. */
int64_t clock_wall_ms(void);

#define CLOCK_TEXT_MAX 32
/* RFC 3339 in UTC with milliseconds, "2026-01-02T03:04:05.678Z"; out has CLOCK_TEXT_MAX bytes. */
const char *clock_format(int64_t wall_ms, char *out);
/* The reverse; accepts any RFC 3339 offset. 0, or -1. */
int clock_parse(const char *text, int64_t *wall_ms);

#endif
