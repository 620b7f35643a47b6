/*
 * A record's content, as a ledger may have it: whatever is taken is written and read again the
 * same, and its init images with and without their digests are each other's reverse.
 */
#include "base/sys.h"
#include "plan/content.h"
#include "tests/fuzz/fuzz.h"

static void write(const struct content *content, struct buf *out)
{
	buf_clear(out);
	content_write(content, out);
	FUZZ_CHECK(!out->overflow);
}

static void check_same_again(const struct content *content, struct arena *arena)
{
	AUTO_BUF struct buf once = BUF_INIT(BUF_MAX_TEXT), twice = BUF_INIT(BUF_MAX_TEXT);
	struct content again;
	char id[RECORD_ID_SIZE], same[RECORD_ID_SIZE];

	write(content, &once);
	FUZZ_CHECK(content_read(buf_str(&once), arena, &again, NULL) == 0);
	write(&again, &twice);
	FUZZ_CHECK(str_eq(buf_str(&once), buf_str(&twice)));
	ids_release("1:0", content, id);
	ids_release("1:0", &again, same);
	FUZZ_CHECK(str_eq(id, same));
}

/* Each container's init images in order, then its own. */
static void check_images(const struct content *content, struct arena *arena)
{
	size_t seen = 0, all = content->containers_n;
	bool resolved = true;

	for (size_t i = 0; i < content->containers_n; i++)
		all += content->containers[i].config->init.n;
	for (struct content_image at = {0}; content_next_image(content, &at); seen++) {
		FUZZ_CHECK(at.image && *content_image_name(arena, &at));
		resolved &= at.digest != NULL;
	}
	FUZZ_CHECK(seen == all);
	FUZZ_CHECK(resolved == content_is_resolved(content));
}

/* With its init images as a node has them. */
static struct content_container pin(const struct content_container *container, struct arena *arena)
{
	struct content_container pinned = *container;

	pinned.config = content_pin(arena, container->config, container->init_digests);
	pinned.init_digests = NULL;
	return pinned;
}

static void write_one(const struct content_container *container, struct buf *out)
{
	struct content_container copy = *container;
	const struct content one = {.containers = &copy, .containers_n = 1};

	write(&one, out);
}

static void write_pinned(const struct content_container *container, struct arena *arena,
			 struct buf *out)
{
	const struct content_container pinned = pin(container, arena);

	write_one(&pinned, out);
}

/* Are all init images written without a digest, and resolved? Then nothing is lost on a node. */
static bool is_plain(const struct content_container *container)
{
	for (size_t i = 0; i < container->config->init.n; i++)
		if (content_image_digest(container->config->init.v[i].image) ||
		    !container->init_digests || !container->init_digests[i])
			return false;
	return true;
}

static void check_pins(const struct content_container *container, struct arena *arena)
{
	AUTO_BUF struct buf once = BUF_INIT(BUF_MAX_TEXT), twice = BUF_INIT(BUF_MAX_TEXT);
	struct content_container seen = pin(container, arena);

	content_unpin(arena, container, &seen);
	write_pinned(container, arena, &once);
	write_pinned(&seen, arena, &twice);
	FUZZ_CHECK(str_eq(buf_str(&once), buf_str(&twice)));
	if (!is_plain(container))
		return;
	write_one(container, &once);
	write_one(&seen, &twice);
	FUZZ_CHECK(str_eq(buf_str(&once), buf_str(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_FREE char *text = mem_strndup((const char *)data, size);
	struct content content;
	struct err err = ERR_INIT;

	if (content_read(text, arena, &content, &err) != 0) {
		FUZZ_CHECK(err.code != E_NONE && *err.text);
		return 0;
	}
	check_same_again(&content, arena);
	check_images(&content, arena);
	for (size_t i = 0; i < content.containers_n; i++)
		check_pins(&content.containers[i], arena);
	return 0;
}
