#include "base/sys.h"
#include "base/vec.h"

void *vec_grow(void *block, size_t n, size_t *cap, size_t element_size)
{
	size_t wanted = n < 4 ? 8 : n + n / 2 + 1;

	if (wanted < n)
		mem_exhausted();
	block = mem_realloc_array(block, wanted, element_size);
	*cap = wanted;
	return block;
}
