/*
 * log.h - one line per event on standard error, as text or as JSON.
 *
 *	log_event(LOG_INFO, "pass done", "commit", hex, "steps", "3", NULL);
 *
 * Keys and values come in pairs, all strings, ended by NULL; a NULL value
 * leaves the pair out. Control bytes are stripped; a value is cut at 4 KiB.
 * A child's lines carry its purpose (log_set_role).
 */
#ifndef TRUEUP_BASE_LOG_H
#define TRUEUP_BASE_LOG_H

#include "base/sys.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

void log_setup(enum log_format format, enum log_level level);
void log_set_role(const char *role);
void log_event(enum log_level level, const char *event, ...) __attribute__((sentinel));
/* For figures: the text lives in a small ring of static buffers until 16 further calls. */
const char *log_int(int64_t value);

#endif
