/*
 * doc_memory.h - the memory that libyaml works in while it reads a file.
 *
 * For every scalar libyaml asks malloc for four pieces, for every file for ten more, two of them
 * large, and gives all of them back: a quarter of its time. Between doc_memory_begin and
 * doc_memory_end it gets them from a pool, which knows but a few sizes and lies still. The pool
 * stands behind libyaml's own yaml_malloc and its kin, for which it asks by name, and a function of
 * the program comes before one of the same name in a library. Outside of a reading they are malloc.
 *
 *	doc_memory_begin(); yaml_parser_initialize(..); doc_memory_check();
 *	...
 *	yaml_parser_delete(..); doc_memory_end();
 *
 * Readings may be nested. Not for threads.
 */
#ifndef TRUEUP_SCHEMA_DOC_MEMORY_H
#define TRUEUP_SCHEMA_DOC_MEMORY_H

#include "base/sys.h"

void doc_memory_begin(void);
/*
 * After the first that was asked for: a library that was linked so that it finds its own functions
 * did not ask here, and the pool is left out of it for good.
 */
void doc_memory_check(void);
void doc_memory_end(void);
/* Pieces of the pool, or in its place, that were not given back. */
size_t doc_memory_taken(void);

/* What libyaml calls; it declares them in no header. */
void *yaml_malloc(size_t size);
void *yaml_realloc(void *ptr, size_t size);
void yaml_free(void *ptr);
unsigned char *yaml_strdup(const unsigned char *text);

#endif
