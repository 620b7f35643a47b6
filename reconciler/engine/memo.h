/*
 * memo.h - what a node's driver remembers from look to look (driver_env.memo), and what was heard
 * of the node since. Only worth something while its events are read: what is not heard is not seen.
 */
#ifndef TRUEUP_ENGINE_MEMO_H
#define TRUEUP_ENGINE_MEMO_H

#include "base/map.h"
#include "drivers/driver.h"

struct memo {
	bool listens;	   /* its events are read */
	uint64_t from_seq; /* ... since before this look; earlier ones may have missed something */
	char *text;	   /* of the last look; NULL: none */
	struct map heard;  /* since that look began: a set */
	bool lost;	   /* ... was too much to be kept */
	struct look_memo given;
};

void memo_release(struct memo *memo);
/* Events are read from now on; the next look is number next_seq. */
void memo_begin(struct memo *memo, uint64_t next_seq);
/* They are not any longer. */
void memo_end(struct memo *memo);
void memo_hear(struct memo *memo, const char *word);
/* For a look that is about to begin; in place until memo_given. NULL: there is nothing. */
const struct look_memo *memo_give(struct memo *memo);
/* It has begun: what is heard from now on is for the next one. */
void memo_given(struct memo *memo);
/* What look number seq remembers; NULL: nothing, as after one that failed. */
void memo_take(struct memo *memo, uint64_t seq, const char *text);

#endif
