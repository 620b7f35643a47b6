#include "base/sys.h"
#include "drivers/docker.h"

#define FRAME_HEADER 8 /* stream, three zeros, length in network order */
#define LOG_BYTES_MAX ((size_t)8 << 20)

void docker_logs_unframe(const char *bytes, size_t len, struct buf *out)
{
	while (len >= FRAME_HEADER) {
		const unsigned char *head = (const unsigned char *)bytes;
		size_t size = (size_t)head[4] << 24 | (size_t)head[5] << 16 | (size_t)head[6] << 8 |
			      head[7];

		bytes += FRAME_HEADER;
		len -= FRAME_HEADER;
		if (size > len)
			size = len;
		buf_add(out, bytes, size);
		bytes += size;
		len -= size;
	}
}

/* Without a terminal both streams come in frames. */
static bool is_framed(const json_t *inspect)
{
	return !json_flag(json_object_get(inspect, "Config"), "Tty", false);
}

int docker_logs(struct docker *docker, const char *name, int n, struct buf *out, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct docker_call call = {.docker = docker, .arena = arena};
	struct buf raw AUTO_BUF = BUF_INIT(LOG_BYTES_MAX);
	AUTO_JSON json_t *inspect = NULL;
	int there = docker_find(&call, name, &inspect, err);
	struct docker_request request = {.raw = true, .text = &raw};

	if (there < 0)
		return -1;
	if (there == 0)
		return err_set(err, E_NOT_FOUND, "node %s has no container %s", docker->node->name,
			       name);
	request.path = arena_printf(arena, "/containers/%s/logs?stdout=1&stderr=1&tail=%d",
				    json_str(inspect, "Id", ""), n);
	if (docker_ask(docker, &request, NULL, err) < 0)
		return -1;
	if (is_framed(inspect))
		docker_logs_unframe(buf_str(&raw), raw.len, out);
	else
		buf_add(out, buf_str(&raw), raw.len);
	return 0;
}
