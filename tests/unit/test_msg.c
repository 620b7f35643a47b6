#include "tests/support/test.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/msg.h"

static int ends[2];

static int set_up(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static int tear_down(void **state)
{
	(void)state;
	fs_close_ptr(&ends[0]);
	fs_close_ptr(&ends[1]);
	return 0;
}

static void send_text(uint32_t type, const char *text)
{
	struct err err = ERR_INIT;

	assert_done(msg_send(ends[0], type, text, strlen(text), &err), err);
}

static void send_raw(const void *bytes, size_t len)
{
	assert_int_equal(write(ends[0], bytes, len), len);
}

static void test_blocking(void **state)
{
	struct buf in AUTO_BUF = BUF_INIT(100);
	struct err err = ERR_INIT;
	struct msg msg;

	(void)state;
	send_text(7, "hello");
	send_text(8, "");
	fs_close_ptr(&ends[0]);
	assert_int_equal(msg_recv(ends[1], &in, &msg, &err), 1);
	assert_int_equal(msg.type, 7);
	assert_int_equal(msg.len, 5);
	assert_string_equal(msg.data, "hello");
	assert_int_equal(msg_recv(ends[1], &in, &msg, &err), 1);
	assert_int_equal(msg.len, 0);
	assert_string_equal(msg.data, "");
	assert_int_equal(msg_recv(ends[1], &in, &msg, &err), 0);
}

static void test_receiver_limits(void **state)
{
	struct buf in AUTO_BUF = BUF_INIT(10);
	struct err err = ERR_INIT;
	struct msg msg;
	uint32_t header[2] = {MSG_MAX + 1, 0};

	(void)state;
	send_text(1, "eleven byte");
	assert_fails(msg_recv(ends[1], &in, &msg, &err), err, E_TOO_LARGE);
	tear_down(NULL);
	set_up(NULL);
	send_raw(header, sizeof header);
	assert_fails(msg_recv(ends[1], &in, &msg, &err), err, E_BAD_INPUT);
}

static void test_sender_limit(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_fails(msg_send(ends[0], 1, "", MSG_MAX + 1, &err), err, E_TOO_LARGE);
}

/* The stream ends behind each byte of a frame in turn. */
static void test_every_cut(void **state)
{
	static const char frame[] = "\3\0\0\0\11\0\0\0abc";

	(void)state;
	for (size_t len = 0; len <= sizeof frame; len++) {
		struct buf in AUTO_BUF = BUF_INIT(100);
		struct msg_reader reader = {0};
		struct err err = ERR_INIT;
		struct msg msg;
		int expected = len == 0 ? 0 : len == sizeof frame ? 1 : -1;

		tear_down(NULL);
		set_up(NULL);
		send_raw(frame, len);
		fs_close_ptr(&ends[0]);
		assert_int_equal(msg_recv(ends[1], &in, &msg, &err), expected);

		tear_down(NULL);
		set_up(NULL);
		send_raw(frame, len);
		fs_close_ptr(&ends[0]);
		while (msg_reader_fill(&reader, ends[1], &err) == 1)
			;
		assert_int_equal(msg_reader_next(&reader, &msg, &err), expected);
		if (expected == -1)
			assert_int_equal(err.code, E_BAD_INPUT);
		msg_reader_release(&reader);
	}
}

static void test_end_mark_is_checked(void **state)
{
	struct buf in AUTO_BUF = BUF_INIT(100);
	struct msg_reader reader = {0};
	struct err err = ERR_INIT;
	struct msg msg;

	(void)state;
	send_raw("\1\0\0\0\0\0\0\0ab\1\0\0\0\0\0\0\0ab", 20);
	assert_fails(msg_recv(ends[1], &in, &msg, &err), err, E_BAD_INPUT);
	assert_int_equal(msg_reader_fill(&reader, ends[1], &err), 1);
	assert_fails(msg_reader_next(&reader, &msg, &err), err, E_BAD_INPUT);
	msg_reader_release(&reader);
}

static void test_reader_takes_many_and_parts(void **state)
{
	struct msg_reader reader = {0};
	struct err err = ERR_INIT;
	struct msg msg;

	(void)state;
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	assert_int_equal(msg_reader_fill(&reader, ends[1], &err), 1);
	assert_int_equal(msg_reader_next(&reader, &msg, &err), 0);
	send_text(1, "one");
	send_text(2, "");
	send_raw("\2\0\0\0\3\0\0\0x", 9);
	assert_int_equal(msg_reader_fill(&reader, ends[1], &err), 1);
	assert_int_equal(msg_reader_next(&reader, &msg, &err), 1);
	assert_string_equal(msg.data, "one");
	assert_int_equal(msg_reader_next(&reader, &msg, &err), 1);
	assert_int_equal(msg.type, 2);
	assert_string_equal(msg.data, "");
	assert_int_equal(msg_reader_next(&reader, &msg, &err), 0);
	send_raw("y", 2);
	fs_close_ptr(&ends[0]);
	while (msg_reader_fill(&reader, ends[1], &err) == 1)
		;
	/* whole messages are handed out although the end was seen */
	assert_int_equal(msg_reader_next(&reader, &msg, &err), 1);
	assert_string_equal(msg.data, "xy");
	assert_int_equal(msg_reader_next(&reader, &msg, &err), 0);
	msg_reader_release(&reader);
}

static void test_reader_refuses_a_long_frame_at_once(void **state)
{
	struct msg_reader reader = {0};
	struct err err = ERR_INIT;
	struct msg msg;
	uint32_t header[2] = {UINT32_MAX, 0};

	(void)state;
	send_raw(header, sizeof header);
	assert_int_equal(msg_reader_fill(&reader, ends[1], &err), 1);
	assert_fails(msg_reader_next(&reader, &msg, &err), err, E_BAD_INPUT);
	msg_reader_release(&reader);
}

/* Larger than the socket holds, in both directions, sender and receiver not blocking. */
static void test_large_messages(void **state)
{
	size_t len = 5 << 20;
	char *bytes AUTO_FREE = mem_alloc(len);
	struct buf in AUTO_BUF = BUF_INIT(MSG_MAX);
	struct err err = ERR_INIT;
	struct msg msg;
	int status;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)(i * 31 >> 3);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (pid == 0)
		_exit(msg_send(ends[0], 9, bytes, len, NULL) == 0 ? 0 : 1);
	if (msg_recv(ends[1], &in, &msg, &err) != 1)
		fail_msg("%s", err.text);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(msg.len, len);
	assert_memory_equal(msg.data, bytes, len);
}

static void test_peer_that_is_gone(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	fs_close_ptr(&ends[1]);
	assert_fails(msg_send(ends[0], 1, "x", 1, &err), err, E_CHILD_DIED);
}

static void test_bad_descriptor(void **state)
{
	struct buf in AUTO_BUF = BUF_INIT(100);
	struct msg_reader reader = {0};
	struct err err = ERR_INIT;
	struct msg msg;

	(void)state;
	assert_fails(msg_send(-1, 1, "x", 1, &err), err, E_IO);
	assert_fails(msg_recv(-1, &in, &msg, &err), err, E_IO);
	assert_fails(msg_reader_fill(&reader, -1, &err), err, E_IO);
	msg_reader_release(&reader);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_blocking),
		TEST(test_receiver_limits),
		TEST(test_sender_limit),
		TEST(test_every_cut),
		TEST(test_end_mark_is_checked),
		TEST(test_reader_takes_many_and_parts),
		TEST(test_reader_refuses_a_long_frame_at_once),
		TEST(test_large_messages),
		TEST(test_peer_that_is_gone),
		TEST(test_bad_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
