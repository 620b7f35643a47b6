#include "base/sys.h"
#include "drivers/docker_frames.h"

#include "base/clock.h"

#define HEAD_BYTES 8
#define STREAM_ERROR 2
#define STAMP_MAX 40
#define NS_IN_S 1000000000

struct docker_frames {
	bool framed;
	struct log_lines output, error;
	unsigned char head[HEAD_BYTES];
	size_t head_len;
	size_t left;	  /* of the frame that is being taken */
	struct buf whole; /* what has come of it; of bare text: of its line */
};

struct docker_frames *docker_frames_new(const struct log_request *request, bool framed)
{
	struct docker_frames *frames = mem_zalloc(1, sizeof *frames);

	frames->framed = framed;
	frames->output = (struct log_lines)LOG_LINES(request, false);
	frames->error = (struct log_lines)LOG_LINES(request, true);
	frames->whole = (struct buf)BUF_INIT(DOCKER_FRAME_MAX);
	return frames;
}

void docker_frames_free(struct docker_frames *frames)
{
	if (!frames)
		return;
	log_lines_release(&frames->output);
	log_lines_release(&frames->error);
	buf_release(&frames->whole);
	free(frames);
}

/* ---- times ---- */

/* "2026-01-02T03:04:05.123456789Z" in nanoseconds; 0: it is none. */
static int64_t read_stamp(const char *text, size_t len)
{
	char stamp[STAMP_MAX];
	const char *point;
	int64_t ms, ns = 0, unit = NS_IN_S / 10;

	if (len >= sizeof stamp)
		return 0;
	memcpy(stamp, text, len);
	stamp[len] = '\0';
	if (clock_parse(stamp, &ms) != 0 || ms <= 0 || ms > INT64_MAX / 1000000)
		return 0;
	point = strchr(stamp, '.');
	for (const char *c = point ? point + 1 : ""; *c >= '0' && *c <= '9' && unit; c++) {
		ns += (*c - '0') * unit;
		unit /= 10;
	}
	return ms / 1000 * NS_IN_S + ns;
}

/* One frame, or one bare line with its newline. */
static void tell(struct log_lines *lines, const struct buf *whole)
{
	const char *text = buf_str(whole);
	const char *blank = memchr(text, ' ', whole->len < STAMP_MAX ? whole->len : STAMP_MAX);
	int64_t at_ns = blank ? read_stamp(text, (size_t)(blank - text)) : 0;
	size_t skip = at_ns ? (size_t)(blank + 1 - text) : 0;

	log_lines_add(lines, at_ns, text + skip, whole->len - skip);
}

/* ---- bare text ---- */

static void take_bare(struct docker_frames *frames, const char *bytes, size_t len)
{
	while (len > 0) {
		const char *newline = memchr(bytes, '\n', len);
		size_t room = DOCKER_FRAME_MAX - frames->whole.len;
		size_t part = newline ? (size_t)(newline + 1 - bytes) : len;
		bool ends = newline || part >= room;

		part = part < room ? part : room;
		buf_add(&frames->whole, bytes, part);
		bytes += part;
		len -= part;
		if (!ends)
			continue;
		tell(&frames->output, &frames->whole);
		buf_clear(&frames->whole);
	}
}

/* ---- frames ---- */

static void end_frame(struct docker_frames *frames)
{
	tell(frames->head[0] == STREAM_ERROR ? &frames->error : &frames->output, &frames->whole);
	buf_clear(&frames->whole);
	frames->head_len = 0;
}

static int begin_frame(struct docker_frames *frames, struct err *err)
{
	const unsigned char *head = frames->head;

	frames->left =
		(size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 | head[7];
	if (head[1] || head[2] || head[3] || frames->left > DOCKER_FRAME_MAX)
		return err_set(err, E_BAD_INPUT, "what the engine sends is no log");
	if (frames->left == 0)
		frames->head_len = 0;
	return 0;
}

static int take_framed(struct docker_frames *frames, const char *bytes, size_t len, struct err *err)
{
	while (len > 0) {
		size_t part = frames->left;

		if (part > 0) {
			part = part < len ? part : len;
			buf_add(&frames->whole, bytes, part);
			frames->left -= part;
			if (frames->left == 0)
				end_frame(frames);
		} else {
			part = 1;
			frames->head[frames->head_len++] = (unsigned char)*bytes;
			if (frames->head_len == HEAD_BYTES && begin_frame(frames, err) != 0)
				return -1;
		}
		bytes += part;
		len -= part;
	}
	return 0;
}

int docker_frames_take(struct docker_frames *frames, const char *bytes, size_t len, struct err *err)
{
	if (!frames->framed)
		take_bare(frames, bytes, len);
	else if (take_framed(frames, bytes, len, err) != 0)
		return -1;
	return frames->output.full || frames->error.full;
}

void docker_frames_end(struct docker_frames *frames)
{
	if (!frames->framed && frames->whole.len)
		tell(&frames->output, &frames->whole);
	log_lines_end(&frames->output);
	log_lines_end(&frames->error);
}
