/*
 * How far a pull is, from the lines that an engine writes meanwhile: one for each layer whenever it
 * gets on. What they say is not believed: a layer has no fewer bytes than none, and no more than
 * fit; beyond so many layers they are not counted.
 *
 * Docker tells of each layer how it comes and how it is unpacked, three of them at a time. Podman
 * tells how they come, of the image's configuration as if it were a layer, and of unpacking
 * nothing.
 */
#include "base/sys.h"
#include "drivers/docker.h"

/* What may be said of a layer. */
struct said {
	const char *status;
	bool here, unpacks;
};

/* NULL: the line is of no layer: the tag that is pulled, its digest, the end. */
static const struct said *said_of(const char *status)
{
	static const struct said rows[] = {
		{"Pulling fs layer", false, false}, {"Waiting", false, false},
		{"Downloading", false, false},	    {"Verifying Checksum", true, false},
		{"Download complete", true, false}, {"Extracting", true, true},
		{"Pull complete", true, false},	    {"Already exists", true, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_eq(rows[i].status, status))
			return &rows[i];
	return NULL;
}

static struct docker_layer *layer_of(struct docker_progress *progress, const char *id)
{
	struct docker_layer *layer;

	for (size_t i = 0; i < progress->layers_n; i++)
		if (str_eq(progress->layers[i].id, id))
			return &progress->layers[i];
	if (progress->layers_n == DOCKER_LAYERS_MAX || strlen(id) >= sizeof layer->id)
		return NULL;
	layer = &progress->layers[progress->layers_n++];
	snprintf(layer->id, sizeof layer->id, "%s", id);
	return layer;
}

static int64_t bounded(int64_t bytes)
{
	return bytes < 0 ? 0 : bytes > DOCKER_LAYER_BYTES_MAX ? DOCKER_LAYER_BYTES_MAX : bytes;
}

/* Of what is unpacked it says likewise how far that is, which is something else. */
static void take_bytes(struct docker_layer *layer, const json_t *detail)
{
	layer->bytes = bounded(json_int(detail, "current", 0));
	layer->total = bounded(json_int(detail, "total", 0));
	if (layer->total && layer->bytes > layer->total)
		layer->bytes = layer->total;
}

void docker_progress_take(struct docker_progress *progress, const json_t *line)
{
	const char *id = json_str(line, "id", NULL);
	const struct said *said = said_of(json_str(line, "status", ""));
	const json_t *detail = json_object_get(line, "progressDetail");
	struct docker_layer *layer;

	if (!id || !said || !(layer = layer_of(progress, id)))
		return;
	layer->here = said->here;
	layer->unpacks = said->unpacks;
	progress->unpacked += said->unpacks;
	if (said->here)
		layer->bytes = layer->total;
	else if (json_object_get(detail, "current"))
		take_bytes(layer, detail);
}

struct op_progress docker_progress_sum(const struct docker_progress *progress)
{
	struct op_progress sum = {.layers = (int)progress->layers_n};

	for (size_t i = 0; i < progress->layers_n; i++) {
		sum.layers_done += progress->layers[i].here;
		sum.bytes += progress->layers[i].bytes;
		sum.total += progress->layers[i].total;
	}
	return sum;
}

/* No bytes need to come. */
static bool unpacks(const struct docker_progress *progress, const struct op_progress *sum)
{
	for (size_t i = 0; i < progress->layers_n; i++)
		if (progress->layers[i].unpacks)
			return true;
	return sum->layers > 0 && sum->layers_done == sum->layers;
}

/* A layer that begins anew, as Docker lets it where the connection broke, has fewer bytes. */
static bool got_on(const struct docker_progress *progress, const struct op_progress *sum,
		   int64_t enough)
{
	const struct op_progress *then = &progress->then;

	return sum->layers_done != then->layers_done ||
	       progress->unpacked != progress->unpacked_then || sum->bytes < then->bytes ||
	       sum->bytes - then->bytes >= enough;
}

bool docker_progress_stalls(struct docker_progress *progress, int64_t patience_ms, int64_t now_ms)
{
	struct op_progress sum = docker_progress_sum(progress);
	int64_t enough = DOCKER_PULL_SLOWEST * patience_ms / 1000;

	if (progress->since_ms && !got_on(progress, &sum, enough))
		return now_ms - progress->since_ms >=
		       (unpacks(progress, &sum) ? DOCKER_UNPACK_PATIENCE_MS : patience_ms);
	progress->since_ms = now_ms;
	progress->then = sum;
	progress->unpacked_then = progress->unpacked;
	return false;
}
