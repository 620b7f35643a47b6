#include "base/sys.h"

#include "base/clock.h"
#include "base/hash.h"
#include "engine/backoff.h"

void backoff_failed(struct backoff *backoff)
{
	int64_t delay = BACKOFF_FIRST_MS;
	for (int i = 0; i < backoff->failures && delay < BACKOFF_MAX_MS; i++)
		delay *= 2;
	if (delay > BACKOFF_MAX_MS)
		delay = BACKOFF_MAX_MS;
	uint32_t dice;
	hash_random(&dice, sizeof dice);
	backoff->failures++;
	backoff->not_before =
		clock_boot_ms() + delay - delay / 4 + (int64_t)(dice % (uint32_t)(delay / 4 + 1));
}

void backoff_rest(struct backoff *backoff, int64_t rest_ms)
{
	int64_t then = clock_boot_ms() + rest_ms;
	if (then > backoff->not_before)
		backoff->not_before = then;
}

void backoff_clear(struct backoff *backoff)
{
	*backoff = (struct backoff){0};
}

int64_t backoff_left(const struct backoff *backoff)
{
	int64_t left = backoff->not_before - clock_boot_ms();
	return backoff->failures && left > 0 ? left : 0;
}
