/*
 * dryrun.h - a driver that changes nothing, and shows what would be.
 *
 * The node is looked at once, when the first call needs it. From then on changes are made to that
 * picture, by the same rules that a real driver has (driver.h), and observe shows the picture.
 * What is started is at once as it should be: running and healthy for DRYRUN_SETTLED_MS, or ended
 * with the expected exit code. Images are taken to be there. probe, resolve and logs ask the node.
 */
#ifndef TRUEUP_DRIVERS_DRYRUN_H
#define TRUEUP_DRIVERS_DRYRUN_H

#include "drivers/driver.h"

#define DRYRUN_SETTLED_MS ((int64_t)24 * 3600 * 1000)

/* Puts a dry run round *driver; owner as in struct driver_env. Cannot fail. */
void dryrun_wrap(struct driver **driver, const char *owner);

#endif
