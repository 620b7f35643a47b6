#include "base/sys.h"
#include "engine/memo.h"

/* After so much of it, asking for everything costs no more. */
#define HEARD_MAX 1000

static void forget_heard(struct memo *memo)
{
	for (size_t i = 0; i < memo->heard.n; i++)
		free(memo->heard.v[i]);
	VEC_FREE(&memo->heard);
}

static void forget(struct memo *memo)
{
	free(memo->text);
	memo->text = NULL;
	forget_heard(memo);
}

void memo_release(struct memo *memo)
{
	forget(memo);
}

void memo_begin(struct memo *memo, uint64_t next_seq)
{
	forget(memo);
	memo->listens = true;
	memo->from_seq = next_seq;
}

void memo_end(struct memo *memo)
{
	forget(memo);
	memo->listens = false;
}

void memo_hear(struct memo *memo, const char *word)
{
	for (size_t i = 0; i < memo->heard.n; i++)
		if (str_eq(memo->heard.v[i], word))
			return;
	VEC_PUSH(&memo->heard, mem_strdup(word));
	if (memo->heard.n <= HEARD_MAX)
		return;
	forget(memo);
	memo->lost = true;
}

const struct look_memo *memo_give(struct memo *memo)
{
	memo->given = (struct look_memo){.text = memo->text,
					 .heard = (const char *const *)memo->heard.v,
					 .heard_n = memo->heard.n};
	return memo->text ? &memo->given : NULL;
}

void memo_given(struct memo *memo)
{
	forget(memo);
	memo->lost = false;
}

void memo_take(struct memo *memo, uint64_t seq, const char *text)
{
	bool holds = memo->listens && !memo->lost && seq >= memo->from_seq;

	free(memo->text);
	memo->text = holds && text ? mem_strdup(text) : NULL;
}
