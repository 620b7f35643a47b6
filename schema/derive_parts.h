/*
 * derive_parts.h - inside of derive*.c: objects that are filled from another document.
 */
#ifndef TRUEUP_SCHEMA_DERIVE_PARTS_H
#define TRUEUP_SCHEMA_DERIVE_PARTS_H

#include "schema/derive.h"
#include "schema/merge.h"

/* An object that is being filled, and where its fields were written. */
struct derived {
	struct head *head;
	struct loc document; /* for what has no place of its own */
	struct loc at[FIELDS_MAX];
};
/* head.path is set, too: all of a file's values are written in it. */
#define DERIVED(object, file_, document_)                                                          \
	{                                                                                          \
		.head = ((object)->head.path = (file_)->path, &(object)->head),                    \
		.document = (document_)                                                            \
	}

/* A field was set. */
void derive_give(struct derived *derived, unsigned field, struct loc at);
/* All fields were. */
void derive_end(const struct derived *derived, struct arena *arena);

struct derived_name {
	const char *text;
	struct loc at, document;
};

/*
 * A simple product, and the deployment of it, which goes to the nodes of its stage, as the model
 * finds them; links NULL: none.
 */
struct document derive_deployment(struct file *file, const struct derived_name *name,
				  const struct image_list *images, const struct link_map *links);

/* derive_app.c: a container for each task; none without an image. */
struct image_list derive_app(const struct app *app, struct arena *arena);
/* derive_service.c: one container; none for a volume. */
struct image_list derive_service(const struct service *service, struct arena *arena);

#endif
