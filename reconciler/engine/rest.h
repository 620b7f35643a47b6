/*
 * rest.h - registries that asked to be left alone for a while: until then no look asks them.
 *
 * What an image reference begins with says whose it is: the name of a Registry, a host, or for
 * images of Docker Hub nothing or a user. Kept while the program runs; a reconciler that is started
 * anew asks once more.
 */
#ifndef TRUEUP_ENGINE_REST_H
#define TRUEUP_ENGINE_REST_H

#include "engine/core.h"

/* What a look was told. Its own time is counted from now. */
void rest_note(struct engine *engine, const struct look_image *image);
/* Milliseconds that are left of it, 0: none. detail (may be NULL) gets what it said. */
int64_t rest_left(const struct engine *engine, const char *image, const char **detail);
void rest_release(struct engine *engine);

#endif
