/*
 * host_follow.h - the log of a workload, as far as it goes and as it grows.
 */
#ifndef TRUEUP_DRIVERS_HOST_FOLLOW_H
#define TRUEUP_DRIVERS_HOST_FOLLOW_H

#include "drivers/log_lines.h"

/*
 * dir: the workload's control folder. With request->follow until that folder is gone, or nobody
 * wants more. E_NOT_SUPPORTED: after_ns, since lines are kept as they were written.
 */
int host_follow(int dir, const struct log_request *request, struct err *err);

#endif
