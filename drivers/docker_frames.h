/*
 * docker_frames.h - a container's log as an engine sends it, taken apart into lines. Pure.
 *
 * Without a terminal both streams come in frames: one byte for the stream (1 output, 2 error),
 * three zeros, the length in network order, and so many bytes. With one the text comes bare. Asked
 * for timestamps, an engine puts one and a blank in front of each frame, or of each bare line
 * (docs.docker.com/reference/api/engine, "Attach to a container", "Get container logs").
 */
#ifndef TRUEUP_DRIVERS_DOCKER_FRAMES_H
#define TRUEUP_DRIVERS_DOCKER_FRAMES_H

#include "drivers/log_lines.h"

/* Longest frame that is taken: engines cut what a container writes at 16 KiB. */
#define DOCKER_FRAME_MAX ((size_t)1 << 20)

struct docker_frames;
/* framed: it comes in frames. The request is borrowed. */
struct docker_frames *docker_frames_new(const struct log_request *request, bool framed);
void docker_frames_free(struct docker_frames *frames); /* NULL is allowed */
/* 0: go on, 1: nobody wants more, or -1, E_BAD_INPUT. */
int docker_frames_take(struct docker_frames *frames, const char *bytes, size_t len,
		       struct err *err);
/* What was not ended is told, too; a frame that was cut is left out. */
void docker_frames_end(struct docker_frames *frames);

#endif
