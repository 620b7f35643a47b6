/*
 * control.h - the control socket, the daemon's side: one JSON line in, one out (engine.h lists
 * them).
 *
 * <state>/control.sock, 0600; only uid 0 and the daemon's own uid are heard.
 */
#ifndef TRUEUP_ENGINE_CONTROL_H
#define TRUEUP_ENGINE_CONTROL_H

#include "engine/core.h"

#define CONTROL_SOCKET "control.sock"
#define CONTROL_LINE_MAX ((size_t)64 << 10)
#define CONTROL_CLIENTS_MAX 64

struct control;

int control_open(struct engine *engine, struct control **out, struct err *err);
/* Removes the socket; clients that wait get an answer that says so. */
void control_close(struct control **control);
/* End of a turn: answers those who wait for the pass, when it is over. */
void control_turn(struct control *control);

#endif
