/*
 * backoff.h - what failed is tried again after a wait that doubles up to a cap, with jitter.
 */
#ifndef TRUEUP_ENGINE_BACKOFF_H
#define TRUEUP_ENGINE_BACKOFF_H

#include "base/sys.h"

/* All-zero is ready. */
struct backoff {
	int failures;
	int64_t not_before; /* boot ms */
};
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS 300000
void backoff_failed(struct backoff *backoff);
/* Not before this long from now, whatever it was. */
void backoff_rest(struct backoff *backoff, int64_t rest_ms);
void backoff_clear(struct backoff *backoff);
/* Milliseconds from now until it may be tried again; 0: now. */
int64_t backoff_left(const struct backoff *backoff);

#endif
