#include "base/sys.h"
#include "source/base64.h"

void base64_add(struct buf *out, const void *bytes, size_t len)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *at = bytes;

	for (; len; at += 3) {
		size_t n = len < 3 ? len : 3;
		unsigned bits = (unsigned)at[0] << 16 | (n > 1 ? (unsigned)at[1] << 8 : 0) |
				(n > 2 ? (unsigned)at[2] : 0);

		buf_addc(out, letters[bits >> 18]);
		buf_addc(out, letters[bits >> 12 & 63]);
		buf_addc(out, n > 1 ? letters[bits >> 6 & 63] : '=');
		buf_addc(out, n > 2 ? letters[bits & 63] : '=');
		len -= n;
	}
}
