/*
 * requests.h - what can be asked of a running reconciler: one function an operation, in one table.
 */
#ifndef TRUEUP_ENGINE_REQUESTS_H
#define TRUEUP_ENGINE_REQUESTS_H

#include <jansson.h>

#include "engine/core.h"

/* The result as a new reference, or NULL and *err. */
json_t *request_handle(struct engine *engine, const char *op, const json_t *args, struct err *err);
/* The answer of `sync`: {"commit","synced"}. */
json_t *request_synced(struct engine *engine);

#endif
