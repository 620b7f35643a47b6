#include "base/sys.h"
#include "engine/memo.h"

/* After so much of it, asking for everything costs no more. */
#define HEARD_MAX 1000

void memo_release(struct memo *memo)
{
	free(memo->text);
	memo->text = NULL;
	map_release(&memo->heard);
}

void memo_begin(struct memo *memo, uint64_t next_seq)
{
	memo_release(memo);
	memo->listens = true;
	memo->from_seq = next_seq;
}

void memo_end(struct memo *memo)
{
	memo_release(memo);
	memo->listens = false;
}

void memo_hear(struct memo *memo, const char *word)
{
	map_put(&memo->heard, word, memo);
	if (memo->heard.count <= HEARD_MAX)
		return;
	memo_release(memo);
	memo->lost = true;
}

const struct look_memo *memo_give(struct memo *memo)
{
	memo->given = (struct look_memo){.text = memo->text, .heard = &memo->heard};
	return memo->text ? &memo->given : NULL;
}

void memo_given(struct memo *memo)
{
	memo_release(memo);
	memo->lost = false;
}

void memo_take(struct memo *memo, uint64_t seq, const char *text)
{
	bool holds = memo->listens && !memo->lost && seq >= memo->from_seq;

	free(memo->text);
	memo->text = holds && text ? mem_strdup(text) : NULL;
}
