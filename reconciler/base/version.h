/*
 * version.h - which trueup this is.
 */
#ifndef TRUEUP_BASE_VERSION_H
#define TRUEUP_BASE_VERSION_H

/* "0.1.0 (6c859dc012)": the release, and the commit it was built from where that is known. */
const char *version_text(void);

#endif
