/*
 * kill_at.h - killing a process, or one it starts, at its nth change of the world.
 *
 * The body runs in a child that is traced with all its descendants, as long as they run this test
 * program: other programs are let go. System calls that change files, links, folders or signal
 * others are counted as they are entered.
 */
#ifndef TRUEUP_TESTS_KILL_AT_H
#define TRUEUP_TESTS_KILL_AT_H

#include "base/sys.h"

/*
 * Runs body(arg) and kills whoever is about to make change number n (from 1). Returns true when one
 * was killed, false when all was over before that: then every change has had its turn. Descendants
 * that still run are left running. -1 exits the test when tracing is not to be had here.
 */
bool kill_at(int n, void (*body)(void *arg), void *arg);
/* May this process trace its children? */
bool kill_at_works(void);

#endif
