/*
 * host_orphans.h - ending what a dead supervisor left behind.
 *
 * A supervisor that is killed takes its workload's main process with it (PR_SET_PDEATHSIG), but not
 * that one's children. They are known by the run id in their environment, which no other process
 * has: no process id is ever trusted, so a reused one is never mistaken. A program that wipes its
 * own environment and outlives its supervisor's violent death is the one that escapes.
 */
#ifndef TRUEUP_DRIVERS_HOST_ORPHANS_H
#define TRUEUP_DRIVERS_HOST_ORPHANS_H

#include <sys/types.h>

#include "base/err.h"

/* The variable that every process of a run has. */
#define HOST_RUN_VARIABLE "TRUEUP_RUN"

/* Calls use with the pid and a pidfd (closed after the call) of each process of the run. */
int host_run_each(const char *run, void (*use)(void *arg, pid_t pid, int pidfd), void *arg,
		  struct err *err);
/* KILLs them all and waits until they are gone; *found says how many there were. */
int host_orphans_kill(const char *run, int *found, struct err *err);

#endif
