/*
 * log_reader.h - one container's log, read in a process of its own, as lines of JSON.
 */
#ifndef TRUEUP_ENGINE_LOG_READER_H
#define TRUEUP_ENGINE_LOG_READER_H

#include "base/proc.h"
#include "drivers/driver.h"
#include "plan/record.h"

/* Of one container: where it is, and to whom it belongs. All borrowed. */
struct log_source {
	const struct node *node;
	const struct driver_env *env;
	const struct slot_key *slot;
	const char *name; /* on the node now */
};

/*
 * {"deployment":"p/s/d","node","container","at":"2026-01-02T03:04:05.678Z" or null,
 * "stream":"stdout" or "stderr","line"} and a newline, appended. The line is cleaned for terminals.
 */
void log_line_json(const struct log_source *source, const struct log_line *line, struct buf *out);

/*
 * From where on. To go on where a reader ended: after_ns is the time of its last line, and as many
 * lines of that time are skipped as were told. Podman 4 tells times in whole seconds, so several
 * lines may have one.
 */
struct log_from {
	int lines;
	int64_t after_ns;
	int skip;
};

/*
 * Starts a process that follows the log and writes to child->fd: for each line its time in
 * nanoseconds, a blank and the JSON; and when something went wrong "! ", the error's code, a blank
 * and its text.
 */
int log_reader_start(const struct log_source *source, const struct log_from *from,
		     struct child *child, struct err *err);

#endif
