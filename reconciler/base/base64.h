/*
 * base64.h - bytes to base64 with padding (RFC 4648, section 4): HTTP logins and SSH keys.
 */
#ifndef TRUEUP_BASE_BASE64_H
#define TRUEUP_BASE_BASE64_H

#include "base/buf.h"

void base64_add(struct buf *out, const void *bytes, size_t len);

#endif
