#include "base/sys.h"
#include "base/base64.h"

#define PADDING 64 /* behind the letters */

void base64_add(struct buf *out, const void *bytes, size_t len)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
	const unsigned char *at = bytes;

	for (; len; at += 3) {
		size_t n = len < 3 ? len : 3;
		unsigned bits = (unsigned)at[0] << 16 | (n > 1 ? (unsigned)at[1] << 8 : 0) |
				(n > 2 ? (unsigned)at[2] : 0);

		for (unsigned i = 0; i < 4; i++)
			buf_addc(out, letters[i <= n ? bits >> (18 - 6 * i) & 63 : PADDING]);
		len -= n;
	}
}
