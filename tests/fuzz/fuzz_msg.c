/* The two readers of messages, the blocking and the one for the loop, see the same in any bytes. */
#include "base/sys.h"
#include "base/fs.h"
#include "base/msg.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_same(const struct msg *a, const struct msg *b)
{
	FUZZ_CHECK(a->type == b->type && a->len == b->len);
	FUZZ_CHECK(memcmp(a->data, b->data, a->len) == 0);
	FUZZ_CHECK(a->data[a->len] == '\0' && b->data[b->len] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int blocking AUTO_FD = memfd_create("a", MFD_CLOEXEC), looping AUTO_FD = -1;
	struct buf in AUTO_BUF = BUF_INIT(MSG_MAX + 1);
	struct msg_reader reader CLEANUP(msg_reader_release) = {0};
	struct msg one, other;
	char path[64];
	int result;

	FUZZ_CHECK(fs_write_all(blocking, data, size) == 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", blocking);
	looping = open(path, O_RDONLY | O_CLOEXEC);
	FUZZ_CHECK(lseek(blocking, 0, SEEK_SET) == 0);
	while (msg_reader_fill(&reader, looping, NULL) == 1)
		;
	do {
		result = msg_recv(blocking, &in, &one, NULL);
		FUZZ_CHECK(msg_reader_next(&reader, &other, NULL) == result);
		if (result == 1)
			check_same(&one, &other);
	} while (result == 1);
	return 0;
}
