/*
 * damper.h - what is put right on a node and soon is wrong again, because somebody or something
 * keeps changing it, is put right ever less often.
 *
 * The first few times in a row there is no wait. Then the wait doubles, up to DAMPER_WINDOW_MS, and
 * starts anew when nothing had to be done for that long beyond it.
 */
#ifndef TRUEUP_ENGINE_DAMPER_H
#define TRUEUP_ENGINE_DAMPER_H

#include "base/sys.h"

/* All-zero is ready. */
struct damper {
	int mends;	 /* in a row */
	int64_t last_ms; /* when the last one was begun */
};
#define DAMPER_FREE 3 /* mends in a row before it begins */
#define DAMPER_WINDOW_MS 60000
/*
 * now_ms: of a clock that never jumps. Milliseconds until it may be put right; 0: now, and that is
 * counted.
 */
int64_t damper_wait(struct damper *damper, int64_t now_ms);
/* The same at another pace: the first wait, and the longest. */
struct damper_pace {
	int64_t first_ms, window_ms;
};
int64_t damper_wait_at(struct damper *damper, const struct damper_pace *pace, int64_t now_ms);

#endif
