#include "base/sys.h"
#include "plan/content.h"

#include "base/json.h"
#include "drivers/driver.h"
#include "schema/canon.h"
#include "schema/decode.h"

/* ---- content as text and back ---- */

static void add_member(struct buf *out, const char *key, const char *value)
{
	buf_adds(out, ",\"");
	buf_adds(out, key);
	buf_adds(out, "\":");
	buf_add_json(out, value);
}

static void add_init_digests(const struct content_container *container, struct buf *out)
{
	buf_adds(out, ",\"initDigests\":[");
	for (size_t i = 0; i < container->config->init.n; i++) {
		const char *digest = container->init_digests[i];

		buf_adds(out, i ? "," : "");
		buf_add_json(out, digest ? digest : "");
	}
	buf_addc(out, ']');
}

static void add_container(const struct content_container *container, bool digests, struct buf *out)
{
	buf_adds(out, "{\"config\":");
	canon_container(container->config, CANON_RELEASE, out);
	if (digests && container->digest)
		add_member(out, "digest", container->digest);
	if (container->image) /* it was wrong, and reported */
		add_member(out, "image", container->image);
	if (digests && container->init_digests && container->config->init.n)
		add_init_digests(container, out);
	add_member(out, "name", container->name);
	buf_addc(out, '}');
}

static void add_containers(const struct content *content, bool digests, struct buf *out)
{
	buf_adds(out, "\"containers\":[");
	for (size_t i = 0; i < content->containers_n; i++) {
		if (i)
			buf_addc(out, ',');
		add_container(&content->containers[i], digests, out);
	}
	buf_addc(out, ']');
}

static void add_requires(const struct pairs *requires, struct buf *out)
{
	if (!requires->n)
		return;
	buf_adds(out, ",\"requires\":");
	canon_pairs(requires, out);
}

void content_write(const struct content *content, struct buf *out)
{
	buf_addc(out, '{');
	add_containers(content, true, out);
	add_requires(&content->requires, out);
	buf_addc(out, '}');
}

static int read_init_digests(const json_t *list, struct arena *arena, struct content_container *out,
			     struct err *err)
{
	size_t n = out->config->init.n;

	if (!list)
		return 0;
	if (json_array_size(list) != n)
		return err_set(err, E_BAD_INPUT, "initDigests does not fit init");
	out->init_digests = ARENA_ARRAY(arena, n, const char *);
	for (size_t i = 0; i < n; i++) {
		const char *digest = json_string_value(json_array_get(list, i));

		if (!digest)
			return err_set(err, E_BAD_INPUT, "initDigests holds no text");
		out->init_digests[i] = *digest ? arena_strdup(arena, digest) : NULL;
	}
	return 0;
}

static int read_container(const json_t *object, struct arena *arena, struct content_container *out,
			  struct err *err)
{
	AUTO_BUF struct buf config = BUF_INIT(BUF_MAX_OUTPUT);
	const char *name = json_str(object, "name", NULL), *image = json_str(object, "image", NULL);

	if (!name || !image || !json_is_object(json_object_get(object, "config")))
		return err_set(err, E_BAD_INPUT, "a container without name, image or config");
	out->name = arena_strdup(arena, name);
	out->image = arena_strdup(arena, image);
	out->digest = arena_strdup(arena, json_str(object, "digest", NULL));
	json_write(json_object_get(object, "config"), &config);
	out->config = decode_object(arena, "container", buf_str(&config), config.len, err);
	if (!out->config ||
	    read_init_digests(json_object_get(object, "initDigests"), arena, out, err) != 0)
		return err_wrap(err, "container %s", name);
	return 0;
}

static int read_requires(const json_t *object, struct arena *arena, struct pairs *out,
			 struct err *err)
{
	size_t n = json_object_size(object);
	const char *product;
	json_t *range;

	if (object && !json_is_object(object))
		return err_set(err, E_BAD_INPUT, "content of a record: requires is no mapping");
	out->key = ARENA_ARRAY(arena, n, const char *);
	out->value = ARENA_ARRAY(arena, n, const char *);
	json_object_foreach((json_t *)(uintptr_t)object, product, range)
	{
		if (!json_is_string(range))
			return err_set(err, E_BAD_INPUT, "content of a record: requires no text");
		out->key[out->n] = arena_strdup(arena, product);
		out->value[out->n++] = arena_strdup(arena, json_string_value(range));
	}
	return 0;
}

int content_read(const char *json, struct arena *arena, struct content *out, struct err *err)
{
	AUTO_JSON json_t *root = json_read(json, strlen(json), BUF_MAX_OUTPUT, err);
	const json_t *list = root ? json_object_get(root, "containers") : NULL;
	struct content content = {0};

	if (!root)
		return err_wrap(err, "content of a record");
	if (!json_is_array(list))
		return err_set(err, E_BAD_INPUT, "content of a record: no list of containers");
	content.containers = ARENA_ARRAY(arena, json_array_size(list), struct content_container);
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (read_container(json_array_get(list, i), arena, &content.containers[i], err))
			return err_wrap(err, "content of a record");
		content.containers_n++;
	}
	if (read_requires(json_object_get(root, "requires"), arena, &content.requires, err) < 0)
		return -1;
	*out = content;
	return 0;
}

const struct content_container *content_find(const struct content *content, const char *name)
{
	for (size_t i = 0; i < content->containers_n; i++) {
		if (str_eq(content->containers[i].name, name))
			return &content->containers[i];
	}
	return NULL;
}

/* ---- its images ---- */

bool content_next_image(const struct content *content, struct content_image *at)
{
	const struct content_container *container;

	if (at->over)
		*at = (struct content_image){.number = at->number + 1};
	if (at->number == content->containers_n)
		return false;
	container = &content->containers[at->number];
	at->container = container;
	at->over = at->next_init == container->config->init.n;
	if (at->over) {
		at->init = NULL;
		at->image = container->image;
		at->digest = container->digest;
		return true;
	}
	at->init = &container->config->init.v[at->next_init];
	at->image = at->init->image;
	at->digest = container->init_digests ? container->init_digests[at->next_init] : NULL;
	at->next_init++;
	return true;
}

const char *content_image_name(struct arena *arena, const struct content_image *at)
{
	return at->init ? arena_printf(arena, "%s" INIT_INFIX "%s", at->container->name,
				       at->init->name)
			: at->container->name;
}

static bool same_place(const struct content_image *a, const struct content_image *b)
{
	return str_eq(a->container->name, b->container->name) && !a->init == !b->init &&
	       (!a->init || str_eq(a->init->name, b->init->name));
}

const char *content_digest_of(const struct content *content, const struct content_image *wanted)
{
	for (struct content_image at = {0}; content_next_image(content, &at);) {
		if (same_place(&at, wanted) && str_eq(at.image, wanted->image))
			return at.digest;
	}
	return NULL;
}

void content_set_digest(struct arena *arena, struct content *content,
			const struct content_image *at, const char *digest)
{
	struct content_container *container = &content->containers[at->number];

	if (!at->init) {
		container->digest = digest;
		return;
	}
	if (!container->init_digests)
		container->init_digests =
			ARENA_ARRAY(arena, container->config->init.n, const char *);
	container->init_digests[at->next_init - 1] = digest;
}

bool content_is_resolved(const struct content *content)
{
	for (struct content_image at = {0}; content_next_image(content, &at);) {
		if (!at.digest)
			return false;
	}
	return true;
}

const char *content_image_plain(struct arena *arena, const char *image)
{
	return image ? arena_strndup(arena, image, strcspn(image, "@")) : NULL;
}

const char *content_image_digest(const char *image)
{
	const char *at = image ? strchr(image, '@') : NULL;

	return at ? at + 1 : NULL;
}

const struct container *content_pin(struct arena *arena, const struct container *config,
				    const char *const *init_digests)
{
	struct container *pinned;
	struct init *list;

	if (!config->init.n || !init_digests)
		return config;
	pinned = arena_memdup(arena, config, sizeof *config);
	list = arena_memdup(arena, config->init.v, config->init.n * sizeof *list);
	for (size_t i = 0; i < config->init.n; i++) {
		if (init_digests[i] && !content_image_digest(list[i].image))
			list[i].image =
				arena_printf(arena, "%s@%s", list[i].image, init_digests[i]);
	}
	pinned->init.v = list;
	return pinned;
}

const struct init *content_find_init(const struct container *config, const char *name)
{
	for (size_t i = 0; config && i < config->init.n; i++) {
		if (str_eq(config->init.v[i].name, name))
			return &config->init.v[i];
	}
	return NULL;
}

static bool is_written(const struct content_container *container, const struct init *init)
{
	const struct init *own =
		container ? content_find_init(container->config, init->name) : NULL;

	return own && str_eq(own->image, init->image);
}

void content_unpin(struct arena *arena, const struct content_container *wanted,
		   struct content_container *container)
{
	const struct container *config = container->config;
	struct container *plain;
	struct init *list;

	if (!config || !config->init.n)
		return;
	plain = arena_memdup(arena, config, sizeof *config);
	list = arena_memdup(arena, config->init.v, config->init.n * sizeof *list);
	container->init_digests = ARENA_ARRAY(arena, config->init.n, const char *);
	for (size_t i = 0; i < config->init.n; i++) {
		container->init_digests[i] = content_image_digest(list[i].image);
		if (!is_written(wanted, &list[i]))
			list[i].image = content_image_plain(arena, list[i].image);
	}
	plain->init.v = list;
	container->config = plain;
}

/* ---- of a version ---- */

static const struct container no_config;

/* Of each init container of a version that `found`, the resolved container, has. */
static const char **init_digests_of(struct arena *arena, const struct container *config,
				    const struct content_container *found)
{
	const char **digests;

	if (!config->init.n || !found || !found->init_digests)
		return NULL;
	digests = ARENA_ARRAY(arena, config->init.n, const char *);
	for (size_t i = 0; i < config->init.n; i++) {
		const struct init *same = content_find_init(found->config, config->init.v[i].name);

		if (same)
			digests[i] = found->init_digests[same - found->config->init.v];
	}
	return digests;
}

void content_write_version(const struct image_list *images, const struct pairs *requires,
			   const struct content *resolved, struct buf *out)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	size_t n = images->n;
	struct content_container *list = ARENA_ARRAY(arena, n, struct content_container);

	for (size_t i = 0; i < n; i++) {
		const struct image *image = &images->v[i];
		const struct content_container *found = content_find(resolved, image->name);
		const struct container *config = image->config ? image->config : &no_config;

		list[i] = (struct content_container){
			.name = image->name,
			.image = image->image,
			.digest = found ? found->digest : NULL,
			.config = config,
			.init_digests = init_digests_of(arena, config, found),
		};
	}
	content_write(&(struct content){list, n, *requires}, out);
}

/* ---- ids ---- */

static void id_of(const struct buf *text, char out[RECORD_ID_SIZE])
{
	char hex[HASH_HEX_SIZE];

	hash_hex(text->ptr, text->len, hex);
	snprintf(out, RECORD_ID_SIZE, RECORD_ID_FORMAT ":%s", hex);
}

void ids_version(const struct image_list *images, const struct pairs *requires,
		 char out[RECORD_ID_SIZE])
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);

	buf_adds(&text, "{\"images\":[");
	for (size_t i = 0; i < images->n; i++) {
		if (i)
			buf_addc(&text, ',');
		canon_image(&images->v[i], CANON_RELEASE, &text);
	}
	buf_addc(&text, ']');
	add_requires(requires, &text);
	buf_addc(&text, '}');
	id_of(&text, out);
}

/* What all ids of a slot end with. */
static void add_place(const struct id_input *input, const char *version_id, struct buf *out)
{
	add_member(out, "node", input->node);
	add_member(out, "prefix", input->prefix);
	add_member(out, "product", input->product);
	if (input->version)
		add_member(out, "version", input->version);
	add_member(out, "versionContent", version_id);
	buf_addc(out, '}');
}

/* Configuration without any release field says nothing: it counts as absent. */
static bool says_nothing(const struct container *config)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);

	if (!config)
		return true;
	canon_container(config, CANON_RELEASE, &text);
	return str_eq(buf_str(&text), "{}");
}

struct named_config {
	const char *name;
	const struct container *config;
};

static int named_config_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct named_config *)a)->name,
		       ((const struct named_config *)b)->name);
}

static void add_instances(const struct instance_map *instances, struct buf *out)
{
	VEC(struct named_config) list = {0};

	for (size_t i = 0; instances && i < instances->n; i++) {
		if (!says_nothing(instances->v[i].config))
			VEC_PUSH(&list,
				 (struct named_config){instances->name[i], instances->v[i].config});
	}
	VEC_SORT(&list, named_config_cmp);
	buf_adds(out, "\"instances\":{");
	for (size_t i = 0; i < list.n; i++) {
		if (i)
			buf_addc(out, ',');
		buf_add_json(out, list.v[i].name);
		buf_addc(out, ':');
		canon_container(list.v[i].config, CANON_RELEASE, out);
	}
	buf_addc(out, '}');
	VEC_FREE(&list);
}

static int name_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Which of them comes first makes no difference: two that would differ conflict. */
static void add_bundles(const struct strings *bundles, struct buf *out)
{
	VEC(const char *) names = {0};

	if (bundles->n == 0)
		return;
	for (size_t i = 0; i < bundles->n; i++)
		VEC_PUSH(&names, bundles->v[i]);
	VEC_SORT(&names, name_cmp);
	buf_adds(out, "\"bundles\":[");
	for (size_t i = 0; i < names.n; i++) {
		buf_adds(out, i ? "," : "");
		buf_add_json(out, names.v[i]);
	}
	buf_adds(out, "],");
	VEC_FREE(&names);
}

void ids_source(const char *version_id, const struct deployment *deployment,
		const struct id_input *input, char out[RECORD_ID_SIZE])
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);

	buf_addc(&text, '{');
	add_bundles(&deployment->bundles, &text);
	buf_adds(&text, "\"config\":");
	canon_container(deployment->config ? deployment->config : &no_config, CANON_RELEASE, &text);
	buf_addc(&text, ',');
	add_instances(&deployment->instances, &text);
	add_place(input, version_id, &text);
	id_of(&text, out);
}

void ids_input(const char *version_id, const struct content *merged, const struct id_input *input,
	       char out[RECORD_ID_SIZE])
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);

	buf_addc(&text, '{');
	add_containers(merged, false, &text);
	add_place(input, version_id, &text);
	id_of(&text, out);
}

void ids_release(const char *input_id, const struct content *resolved, char out[RECORD_ID_SIZE])
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);
	const char *between = "";

	buf_adds(&text, "{\"digests\":{");
	for (struct content_image at = {0}; content_next_image(resolved, &at); between = ",") {
		buf_adds(&text, between);
		buf_add_json(&text, content_image_name(arena, &at));
		buf_addc(&text, ':');
		buf_add_json(&text, at.digest ? at.digest : "");
	}
	buf_addc(&text, '}');
	add_member(&text, "input", input_id);
	buf_addc(&text, '}');
	id_of(&text, out);
}
