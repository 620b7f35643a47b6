/*
 * documents.h - what must hold within one document, beyond its fields one by one.
 */
#ifndef TRUEUP_SCHEMA_DOCUMENTS_H
#define TRUEUP_SCHEMA_DOCUMENTS_H

#include "schema/doc.h"
#include "schema/model.h"

/* The folders that the file lies in. */
void document_folders_check(const struct doc_source *source);
/* Is this a kind of this level? */
bool document_belongs(enum kind kind, enum unit_level level);
/*
 * Can the document be referred to? A Project or Stage is named by its folder: another name is
 * reported and replaced.
 */
bool document_is_known(const struct document *document, const struct doc_source *source);
/* document_config.c: the same for one layer of a container's configuration; NULL is none. */
void document_config_check(const struct container *config, const struct doc_source *source);
/* An image reference, which may hold templates: its form. NULL is none. */
void document_image_check(const char *text, struct loc at, const struct doc_source *source);
/* Both, for each image. */
void document_images_check(const struct image_list *images, const struct doc_source *source);
/* document_app.c */
void document_app_check(const struct app *app, const struct doc_source *source);
/* document_service.c */
void document_service_check(const struct service *service, const struct doc_source *source);
/* Reports what is wrong; `value` is the struct of `kind`, just read from source. */
void document_check(enum kind kind, const void *value, const struct doc_source *source);

#endif
