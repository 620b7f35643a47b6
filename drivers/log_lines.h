/*
 * log_lines.h - from the bytes of a log to the lines of a log_request, for drivers.
 *
 *	struct log_lines lines = LOG_LINES(request, is_error)
 *	log_lines_add(&lines, at_ns, bytes, len)	as they come, until lines.full
 *	log_lines_end(&lines)				what has no newline is a line, too
 *	log_lines_release(&lines)
 */
#ifndef TRUEUP_DRIVERS_LOG_LINES_H
#define TRUEUP_DRIVERS_LOG_LINES_H

#include "drivers/driver.h"

struct log_lines {
	const struct log_request *request;
	bool is_error;
	bool full;	 /* nobody wants more */
	bool cut;	 /* a piece of this line was told already */
	int64_t at_ns;	 /* of what has no end yet */
	struct buf text; /* that */
};
/* clang-format off */
#define LOG_LINES(asked, error) {.request = (asked), .is_error = (error), \
	.text = BUF_INIT(LOG_LINE_MAX)}
/* clang-format on */

/* at_ns: when the first of these bytes were written; 0: not known. */
void log_lines_add(struct log_lines *lines, int64_t at_ns, const char *bytes, size_t len);
void log_lines_end(struct log_lines *lines);
void log_lines_release(struct log_lines *lines);

#endif
