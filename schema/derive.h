/*
 * derive.h - what a document stands for: an App or a Service becomes a simple product and a
 * deployment of it, and everything behind the schema sees only those.
 *
 * Nothing is copied that can be shared, and every value carries the place where it was written: a
 * message about a port points into the App. What is derived is not part of what a file says: it
 * comes back whenever the file is decoded or unpacked.
 */
#ifndef TRUEUP_SCHEMA_DERIVE_H
#define TRUEUP_SCHEMA_DERIVE_H

#include "schema/doc.h"
#include "schema/model.h"

/*
 * Adds to the documents of a file, behind each that stands for a deployment, that deployment; its
 * product is in origin.derived. Reports what is wrong with the configuration that comes of it.
 */
void derive_documents(struct file *file, const struct doc_source *source);

/*
 * The task of an app that has its network and domains: the one named like the app, or the only one.
 * The number of tasks where that is not clear; 0 where there are no tasks, which is one without a
 * name of its own.
 */
size_t derive_main_task(const struct app *app);

/*
 * What links give the containers of an app: URLs in variables, and volumes; NULL when the app has
 * none. Services that are not there, which check_model reports, are left out.
 */
const struct container *derive_links(const struct model *model, const struct app *app,
				     struct arena *arena);
/* The Service of the app's stage that has this name; NULL when there is none. */
const struct service *derive_link_target(const struct model *model, const struct app *app,
					 const char *name);
/* Its first domain that is primary, or its first; the number of domains when there is none. */
size_t derive_main_domain(const struct app *app);

#endif
