#include "base/sys.h"
#include "ledger/load.h"

int load_rows(struct db_rows *rows, struct arena *arena, size_t size,
	      void (*read)(struct db_rows *rows, struct arena *arena, void *element), void **out,
	      size_t *n, struct err *err)
{
	struct db_rows *owned AUTO_ROWS = rows;
	char *elements AUTO_FREE = NULL;
	size_t count = 0, cap = 0;
	int got = -1;

	while (owned && (got = db_next_sound(owned, err)) > 0) {
		if (count == cap)
			elements = vec_grow(elements, count, &cap, size);
		memset(elements + count * size, 0, size);
		read(owned, arena, elements + count++ * size);
	}
	if (got < 0)
		return -1;
	*out = arena_memdup(arena, elements, count * size);
	*n = count;
	return 0;
}
