/*
 * decode_texts.h - files of a configuration that are at hand as texts, decoded as the reconciler
 * decodes those of a commit: a folder with a Compose file as a whole, what is no manifest not at
 * all.
 */
#ifndef TRUEUP_TESTS_DECODE_TEXTS_H
#define TRUEUP_TESTS_DECODE_TEXTS_H

#include "base/vec.h"
#include "schema/model.h"

struct text_file {
	const char *path, *text;
	size_t len;
};
struct decoded_files {
	VEC(struct file *) files; /* one reference each */
};
/* In any order; the same texts at the same path have the same blob, as in a repository. */
void decode_texts(const struct text_file *texts, size_t n, struct decoded_files *out);
void decoded_release(struct decoded_files *decoded);

#endif
