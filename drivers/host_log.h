/*
 * host_log.h - what a workload writes, bounded: `log`, and when that is full `log.1` and `log.2`.
 *
 * The supervisor pumps a pipe into the newest file. A full disk loses lines, never the workload.
 */
#ifndef TRUEUP_DRIVERS_HOST_LOG_H
#define TRUEUP_DRIVERS_HOST_LOG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

#define HOST_LOG_FILE "log"
#define HOST_LOG_FILES 3
/* Bytes of one file; not a constant, so that tests need not write megabytes. */
extern size_t host_log_file_max;

struct host_log {
	int dir;	   /* the caller's */
	struct loop *loop; /* the caller's */
	int file;	   /* -1: not open */
	size_t size;
	int pipe; /* reading end; -1: none */
	struct loop_fd *source;
};
#define HOST_LOG_INIT(directory, event_loop)                                                       \
	{                                                                                          \
		.dir = (directory), .loop = (event_loop), .file = -1, .pipe = -1                   \
	}
void host_log_release(struct host_log *log);
/* The writing end of a pipe into the log, to be closed by the caller; -1. */
int host_log_open_pipe(struct host_log *log, struct err *err);
/* Takes what is still in the pipe. */
void host_log_close_pipe(struct host_log *log);
void host_log_write(struct host_log *log, const char *bytes, size_t len);

/* A place in one of the files. */
struct host_log_end {
	ino_t inode;
	off_t at;
};
/*
 * The last n lines over all files, oldest first, at most out's maximum of the newest bytes. end:
 * only what stands before it; NULL: all.
 */
int host_log_tail(int dir, int n, const struct host_log_end *end, struct buf *out, struct err *err);

#endif
