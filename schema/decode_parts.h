/*
 * decode_parts.h - inside of decode*.c.
 */
#ifndef TRUEUP_SCHEMA_DECODE_PARTS_H
#define TRUEUP_SCHEMA_DECODE_PARTS_H

#include "schema/diag.h"
#include "schema/model.h"

/*
 * What was found becomes the file's: sorted, with excerpts of what `read` gives. The list's texts
 * are in the file's arena already; only its array moves there.
 */
void file_keep_diags(struct file *file, struct diags *diags, diag_reader read, void *arg);

#endif
