/*
 * pages.h - whole pages made from the tables: the man page and the reference. They are topics of
 * `trueup help` that its overview does not list; `make generated` writes them to reconciler/share/.
 */
#ifndef TRUEUP_SURFACE_PAGES_H
#define TRUEUP_SURFACE_PAGES_H

#include "base/buf.h"

/* "man", "reference:commands", "reference:manifests", "reference:codes", "reference:compose";
 * false: there is no such page. */
bool page_put(const char *topic, struct buf *out);

#endif
