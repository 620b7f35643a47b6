#include "base/sys.h"
#include "drivers/decorate.h"

static struct driver *inner_of(struct driver *driver)
{
	return decorator_of(driver)->inner;
}

static void pass_close(struct driver *driver)
{
	struct decorator *self = decorator_of(driver);

	driver_close(&self->inner);
	if (self->release)
		self->release(self);
	free(self);
}

static int pass_probe(struct driver *driver, struct buf *engine, struct err *err)
{
	struct driver *inner = inner_of(driver);

	return inner->ops->probe(inner, engine, err);
}

static int pass_observe(struct driver *driver, struct arena *arena, struct observed *out,
			struct err *err)
{
	struct driver *inner = inner_of(driver);

	return inner->ops->observe(inner, arena, out, err);
}

static int pass_resolve(struct driver *driver, const char *image, struct buf *digest,
			struct err *err)
{
	struct driver *inner = inner_of(driver);

	return inner->ops->resolve(inner, image, digest, err);
}

static int pass_apply(struct driver *driver, const struct op *op, struct op_result *result,
		      struct err *err)
{
	struct driver *inner = inner_of(driver);

	return inner->ops->apply(inner, op, result, err);
}

static int pass_watch(struct driver *driver, struct err *err)
{
	struct driver *inner = inner_of(driver);

	return inner->ops->watch(inner, err);
}

static int pass_watch_read(struct driver *driver, struct err *err)
{
	struct driver *inner = inner_of(driver);

	return inner->ops->watch_read(inner, err);
}

static const struct checked_list *pass_checked(struct driver *driver)
{
	struct driver *inner = inner_of(driver);

	return inner->ops->checked(inner);
}

static const struct map *pass_heard(struct driver *driver)
{
	struct driver *inner = inner_of(driver);

	return inner->ops->heard(inner);
}

static int pass_logs(struct driver *driver, const struct log_request *request, struct err *err)
{
	struct driver *inner = inner_of(driver);

	return inner->ops->logs(inner, request, err);
}

void decorate(struct driver **driver, struct decorator *self,
	      void (*release)(struct decorator *self))
{
	struct driver *inner = *driver;

	self->inner = inner;
	self->release = release;
	self->ops = (struct driver_ops){
		.name = inner->ops->name,
		.open = inner->ops->open,
		.close = pass_close,
		.carries = inner->ops->carries,
		.ways = inner->ops->ways,
		.check = inner->ops->check,
		.prefers_recreate = inner->ops->prefers_recreate,
		.aliases = inner->ops->aliases,
		.shares_ports = inner->ops->shares_ports,
		.live_fields = inner->ops->live_fields,
		.probe = pass_probe,
		.observe = pass_observe,
		.resolve = pass_resolve,
		.apply = pass_apply,
		.watch = pass_watch,
		.watch_read = pass_watch_read,
		.heard = inner->ops->heard ? pass_heard : NULL,
		.checked = inner->ops->checked ? pass_checked : NULL,
		.logs = pass_logs,
	};
	self->driver.ops = &self->ops;
	*driver = &self->driver;
}
