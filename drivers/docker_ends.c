/*
 * How the run before the present one ended. An engine tells it until the container is started
 * again, and somebody who looks at one that ends over and over comes too late most of the time. Its
 * events still have it. All of this is a help for people: where it fails, it is left out.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include "base/num.h"

#define EVENTS_MAX ((size_t)1 << 20)

/* Docker would wait for what comes until the given time, Podman finds nothing before it. */
static const char *ends_path(struct docker *docker, struct arena *arena, const char *id,
			     int64_t since_ms, int64_t now_ms)
{
	const char *filters = docker_quote(
		arena,
		arena_printf(arena, "{\"type\":[\"container\"],\"container\":[\"%s\"]}", id));
	const char *until = docker->is_podman
				    ? "stream=false"
				    : arena_printf(arena, "until=%lld", (long long)(now_ms / 1000));

	return arena_printf(arena, "/events?since=%lld&%s&filters=%s", (long long)(since_ms / 1000),
			    until, filters);
}

int docker_ends_code(const json_t *event)
{
	const json_t *about = json_object_get(json_object_get(event, "Actor"), "Attributes");
	const char *text = json_str(about, "exitCode", json_str(about, "containerExitCode", NULL));
	int64_t code;

	if (!str_eq(json_str(event, "Action", NULL), "die") || !text ||
	    num_parse_int(text, 0, 255, &code) != 0)
		return -1;
	return (int)code;
}

static int last_code(char *text)
{
	char *rest = NULL;
	int found = -1;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		AUTO_JSON json_t *event = json_read(line, strlen(line), EVENTS_MAX, NULL);
		int code = docker_ends_code(event);

		found = code >= 0 ? code : found;
	}
	return found;
}

int docker_ends_last(struct docker *docker, struct arena *arena, const char *id, int64_t now_ms)
{
	struct buf text AUTO_BUF = BUF_INIT(EVENTS_MAX);
	const struct docker_request request = {
		.path = ends_path(docker, arena, id, now_ms - DOCKER_ENDS_WITHIN_MS, now_ms),
		.raw = true,
		.text = &text,
	};

	if (docker_ask(docker, &request, NULL, NULL) < 0 || !text.ptr)
		return -1;
	return last_code(text.ptr);
}
