/*
 * decorate.h - what trace, fault and dryrun have in common: a driver that holds another one.
 *
 * A decorator's struct begins with a struct decorator. decorate() fills every slot with one that
 * passes the call on and copies what is fixed (name, check, live_fields, prefers_recreate, aliases,
 * shares_ports); the decorator then sets the slots it wants to see in `ops`. Closing closes what is
 * inside first.
 */
#ifndef TRUEUP_DRIVERS_DECORATE_H
#define TRUEUP_DRIVERS_DECORATE_H

#include "drivers/driver.h"

struct decorator {
	struct driver driver;
	struct driver_ops ops;			 /* this one's own table; driver.ops points to it */
	struct driver *inner;			 /* owned */
	void (*release)(struct decorator *self); /* frees the decorator's own parts; may be NULL */
};

/*
 * Puts self (from mem_zalloc; freed when it is closed) round *driver, which becomes self. release
 * is called after what is inside was closed.
 */
void decorate(struct driver **driver, struct decorator *self,
	      void (*release)(struct decorator *self));

static inline struct decorator *decorator_of(struct driver *driver)
{
	return (struct decorator *)(void *)driver;
}

#endif
