#include "base/sys.h"
#include "drivers/workload.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/num.h"
#include "schema/canon.h"
#include "schema/decode.h"

/* ---- words ---- */

static const char *const state_words[] = {
	[RUN_CREATED] = "created", [RUN_RUNNING] = "running", [RUN_RESTARTING] = "restarting",
	[RUN_EXITED] = "exited",   [RUN_STOPPED] = "stopped", [RUN_PAUSED] = "paused",
	[RUN_UNKNOWN] = "unknown",
};
static const char *const health_words[] = {
	[HEALTH_NONE] = "none",	      [HEALTH_STARTING] = "starting",
	[HEALTH_HEALTHY] = "healthy", [HEALTH_UNHEALTHY] = "unhealthy",
	[HEALTH_UNKNOWN] = "unknown",
};

const char *run_state_word(enum run_state state)
{
	return state_words[state];
}

const char *run_health_word(enum run_health health)
{
	return health_words[health];
}

/* NULL: it has none. */
static const char *instance_of(const char *owner)
{
	const char *slash = owner ? strrchr(owner, '/') : NULL;

	return slash && slash[1] ? slash + 1 : NULL;
}

bool owner_same(const char *a, const char *b)
{
	const char *one = instance_of(a), *other = instance_of(b);

	return one && other && str_eq(one, other);
}

static void tell_exit(int exit_code, struct buf *out)
{
	if (exit_code > 128)
		buf_addf(out, ", last ended by signal %d", exit_code - 128);
	else if (exit_code >= 0)
		buf_addf(out, ", last ended with exit code %d", exit_code);
}

size_t workload_stem_length(const char *name)
{
	return strlen(name) - (str_ends(name, NEXT_SUFFIX) ? strlen(NEXT_SUFFIX) : 0);
}

void workload_tell(const struct workload *workload, struct buf *out)
{
	buf_adds(out, run_state_word(workload->state));
	if (workload->state == RUN_RUNNING && workload->health > HEALTH_NONE)
		buf_addf(out, ", health %s", run_health_word(workload->health));
	if (workload->restarts > 0)
		buf_addf(out, ", %d restart%s", workload->restarts,
			 workload->restarts > 1 ? "s" : "");
	if (workload->detail)
		buf_addf(out, ": %s", workload->detail);
	else
		tell_exit(workload->exit_code, out);
}

/* ---- labels: one table for engines, pipes and comparison ---- */

enum member_type { MEMBER_TEXT, MEMBER_INT64, MEMBER_INT, MEMBER_STATE, MEMBER_HEALTH };

/* A scalar member of one of the structs of workload.h, and its name in JSON. */
struct member {
	const char *key;
	enum member_type type;
	size_t offset;
};
#define MEMBER(owner, name, key, type)                                                             \
	{                                                                                          \
		key, MEMBER_##type, offsetof(struct owner, name)                                   \
	}

static const struct member labels_members[] = {
	MEMBER(labels, owner, "owner", TEXT),
	MEMBER(labels, node, "node", TEXT),
	MEMBER(labels, project, "project", TEXT),
	MEMBER(labels, stage, "stage", TEXT),
	MEMBER(labels, deployment, "deployment", TEXT),
	MEMBER(labels, product, "product", TEXT),
	MEMBER(labels, version, "version", TEXT),
	MEMBER(labels, prefix, "prefix", TEXT),
	MEMBER(labels, container, "container", TEXT),
	MEMBER(labels, init, "init", TEXT),
	MEMBER(labels, spec, "spec", TEXT),
	MEMBER(labels, stack, "stack", TEXT),
	MEMBER(labels, commit, "commit", TEXT),
	MEMBER(labels, record, "record", INT64),
};

static const char **text_at(void *object, const struct member *member)
{
	return (const char **)(void *)((char *)object + member->offset);
}

static const char *text_of(const void *object, const struct member *member)
{
	return *(const char *const *)(const void *)((const char *)object + member->offset);
}

static int64_t int64_of(const void *object, const struct member *member)
{
	const void *at = (const char *)object + member->offset;

	return member->type == MEMBER_INT64 ? *(const int64_t *)at : *(const int *)at;
}

void labels_each(const struct labels *labels,
		 void (*use)(void *arg, const char *key, const char *value), void *arg)
{
	for (size_t i = 0; i < ARRAY_LEN(labels_members); i++) {
		const struct member *member = &labels_members[i];
		char number[NUM_TEXT_MAX];

		if (member->type == MEMBER_TEXT) {
			if (text_of(labels, member))
				use(arg, member->key, text_of(labels, member));
		} else if (int64_of(labels, member) > 0) {
			snprintf(number, sizeof number, "%lld",
				 (long long)int64_of(labels, member));
			use(arg, member->key, number);
		}
	}
}

int labels_set(struct labels *labels, const char *key, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(labels_members); i++) {
		const struct member *member = &labels_members[i];

		if (!str_eq(member->key, key))
			continue;
		if (member->type == MEMBER_TEXT) {
			*text_at(labels, member) = value;
			return 0;
		}
		return num_parse_int(value, 1, INT64_MAX, &labels->record);
	}
	return -1;
}

/* ---- the hash of a spec ---- */

void spec_hash(const struct spec *spec, char out[HASH_HEX_SIZE + 8])
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);
	struct container config = *spec->config;
	char hex[HASH_HEX_SIZE];
	struct hash hash;

	/* How many there are is no property of one of them: scaling restarts nobody. */
	config.head.set &= ~((uint64_t)1 << container_scale_F);
	canon_container(&config, CANON_ALL, &text);
	hash_init(&hash);
	hash_add_text(&hash, spec->digest);
	if (!spec->digest)
		hash_add_text(&hash, spec->image);
	hash_add_text(&hash, buf_str(&text));
	hash_final_hex(&hash, hex);
	snprintf(out, HASH_HEX_SIZE + 8, SPEC_HASH_FORMAT ":%s", hex);
}

bool container_is_job(const struct container *config)
{
	return config && config->expect && config->expect->state == EXPECT_EXITED;
}

enum restart_policy_value container_restart_policy(const struct container *config)
{
	if (IS_SET(config, container, restart_policy))
		return (enum restart_policy_value)config->restart_policy;
	return container_is_job(config) ? RESTART_NO : RESTART_UNLESS_STOPPED;
}

char *volume_node_name(struct arena *arena, const char *prefix, const struct volume *volume)
{
	if (!IS_SET(volume, volume, name) || volume->type == VOLUME_TMP)
		return NULL;
	return arena_printf(arena, "%s-%s", prefix, volume->name);
}

/* ---- what was seen ---- */

static int workload_cmp(const void *a, const void *b)
{
	const struct workload *left = a, *right = b;
	int order = str_cmp(left->name, right->name);

	return order ? order : str_cmp(left->id, right->id);
}

static int volume_cmp(const void *a, const void *b)
{
	return str_cmp(((const struct volume_seen *)a)->name,
		       ((const struct volume_seen *)b)->name);
}

static int text_cmp(const void *a, const void *b)
{
	return str_cmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort(void *v, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
	if (v && n > 1)
		qsort(v, n, size, cmp);
}

void observed_sort(struct observed *observed)
{
	sort(observed->workloads, observed->workloads_n, sizeof *observed->workloads, workload_cmp);
	sort(observed->volumes, observed->volumes_n, sizeof *observed->volumes, volume_cmp);
	sort(observed->images, observed->images_n, sizeof *observed->images, text_cmp);
	sort(observed->foreign, observed->foreign_n, sizeof *observed->foreign, text_cmp);
}

const struct workload *observed_find(const struct observed *observed, const char *name)
{
	size_t low = 0, high = observed->workloads_n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = str_cmp(observed->workloads[middle].name, name);

		if (order == 0)
			return &observed->workloads[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ---- JSON: scalar members by table ---- */

static void put_members(json_t *json, const void *object, const struct member *members, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct member *member = &members[i];
		const void *at = (const char *)object + member->offset;

		switch (member->type) {
		case MEMBER_TEXT:
			if (text_of(object, member))
				json_put_str(json, member->key, text_of(object, member));
			break;
		case MEMBER_INT64:
		case MEMBER_INT:
			json_object_set_new(json, member->key,
					    json_integer(int64_of(object, member)));
			break;
		case MEMBER_STATE:
			json_put_str(json, member->key,
				     run_state_word(*(const enum run_state *)at));
			break;
		case MEMBER_HEALTH:
			json_put_str(json, member->key,
				     run_health_word(*(const enum run_health *)at));
			break;
		}
	}
}

/* The index of the word; 0 when it is none. */
static unsigned find_word(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (str_eq(words[i], word))
			return (unsigned)i;
	}
	return 0;
}

static int read_number(const struct member *member, const json_t *value, void *at, struct err *err)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return err_set(err, E_BAD_INPUT, "%s is not a whole number", member->key);
	if (member->type == MEMBER_INT64)
		*(int64_t *)at = number;
	else if (number < INT_MIN || number > INT_MAX)
		return err_set(err, E_BAD_INPUT, "%s is out of bounds", member->key);
	else
		*(int *)at = (int)number;
	return 0;
}

static int read_member(const struct member *member, const json_t *value, struct arena *arena,
		       void *object, struct err *err)
{
	const char *text = json_string_value(value);
	void *at = (char *)object + member->offset;
	unsigned word;

	if (member->type == MEMBER_INT64 || member->type == MEMBER_INT)
		return read_number(member, value, at, err);
	if (!text)
		return err_set(err, E_BAD_INPUT, "%s is not a text", member->key);
	if (member->type == MEMBER_TEXT) {
		*text_at(object, member) = arena_strdup(arena, text);
		return 0;
	}
	if (member->type == MEMBER_STATE) {
		word = find_word(text, state_words, ARRAY_LEN(state_words));
		*(enum run_state *)at = (enum run_state)word;
	} else {
		word = find_word(text, health_words, ARRAY_LEN(health_words));
		*(enum run_health *)at = (enum run_health)word;
	}
	return word ? 0 : err_set(err, E_BAD_INPUT, "%s: no such word: %s", member->key, text);
}

/* Absent members and nulls stay as they are; members that no table has are left to others. */
static int read_members(const json_t *json, struct arena *arena, void *object,
			const struct member *members, size_t n, struct err *err)
{
	if (!json_is_object(json))
		return err_set(err, E_BAD_INPUT, "not an object");
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_object_get(json, members[i].key);

		if (value && !json_is_null(value) &&
		    read_member(&members[i], value, arena, object, err) != 0)
			return -1;
	}
	return 0;
}

#define PUT_MEMBERS(json, object, members)                                                         \
	put_members((json), (object), (members), ARRAY_LEN(members))
#define READ_MEMBERS(json, arena, object, members, err)                                            \
	read_members((json), (arena), (object), (members), ARRAY_LEN(members), (err))

/* ---- JSON: configuration, as the manifest fragment that it is ---- */

static json_t *config_json(const struct container *config)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);
	json_t *json;

	canon_container(config, CANON_ALL, &text);
	json = text.overflow ? NULL : json_read(buf_str(&text), text.len, BUF_MAX_OUTPUT, NULL);
	return json ? json : json_null();
}

/* *out stays NULL when there is none. */
static int read_config(const json_t *json, struct arena *arena, const struct container **out,
		       struct err *err)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);

	if (!json || json_is_null(json))
		return 0;
	if (!json_is_object(json))
		return err_set(err, E_BAD_INPUT, "config is not an object");
	json_write(json, &text);
	*out = decode_object(arena, "container", buf_str(&text), text.len, err);
	return *out ? 0 : err_wrap(err, "config");
}

/* ---- JSON: each type ---- */

static const struct member spec_members[] = {
	MEMBER(spec, name, "name", TEXT),
	MEMBER(spec, instance, "instance", INT),
	MEMBER(spec, image, "image", TEXT),
	MEMBER(spec, digest, "digest", TEXT),
};
static const struct member workload_members[] = {
	MEMBER(workload, name, "name", TEXT),
	MEMBER(workload, id, "id", TEXT),
	MEMBER(workload, image, "image", TEXT),
	MEMBER(workload, digest, "digest", TEXT),
	MEMBER(workload, state, "state", STATE),
	MEMBER(workload, health, "health", HEALTH),
	MEMBER(workload, running_ms, "runningMs", INT64),
	MEMBER(workload, restarts, "restarts", INT),
	MEMBER(workload, exit_code, "exitCode", INT),
	MEMBER(workload, detail, "detail", TEXT),
};
static const struct member volume_members[] = {
	MEMBER(volume_seen, name, "name", TEXT),
	MEMBER(volume_seen, project, "project", TEXT),
	MEMBER(volume_seen, stage, "stage", TEXT),
	MEMBER(volume_seen, deployment, "deployment", TEXT),
};
static const struct member checked_members[] = {
	MEMBER(checked, id, "id", TEXT),
	MEMBER(checked, run, "run", TEXT),
	MEMBER(checked, health, "health", HEALTH),
	MEMBER(checked, text, "text", TEXT),
};
static const struct member observed_members[] = {
	MEMBER(observed, node, "node", TEXT),
	MEMBER(observed, engine, "engine", TEXT),
	MEMBER(observed, engine_id, "engineId", TEXT),
	MEMBER(observed, owner, "owner", TEXT),
};

json_t *labels_json(const struct labels *labels)
{
	json_t *json = json_object();

	PUT_MEMBERS(json, labels, labels_members);
	return json;
}

json_t *spec_json(const struct spec *spec)
{
	json_t *json = json_object();

	PUT_MEMBERS(json, spec, spec_members);
	json_object_set_new(json, "config", config_json(spec->config));
	json_object_set_new(json, "labels", labels_json(&spec->labels));
	return json;
}

json_t *workload_json(const struct workload *workload)
{
	json_t *json = json_object();

	PUT_MEMBERS(json, workload, workload_members);
	if (workload->config)
		json_object_set_new(json, "config", config_json(workload->config));
	json_object_set_new(json, "labels", labels_json(&workload->labels));
	return json;
}

static json_t *volume_json(const struct volume_seen *volume)
{
	json_t *json = json_object();

	PUT_MEMBERS(json, volume, volume_members);
	return json;
}

static json_t *names_json(const char *const *names, size_t n)
{
	json_t *json = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(json, json_string(names[i]));
	return json;
}

json_t *observed_json(const struct observed *observed)
{
	json_t *json = json_object();
	json_t *workloads = json_array(), *volumes = json_array();

	PUT_MEMBERS(json, observed, observed_members);
	for (size_t i = 0; i < observed->workloads_n; i++)
		json_array_append_new(workloads, workload_json(&observed->workloads[i]));
	for (size_t i = 0; i < observed->volumes_n; i++)
		json_array_append_new(volumes, volume_json(&observed->volumes[i]));
	json_object_set_new(json, "workloads", workloads);
	json_object_set_new(json, "volumes", volumes);
	json_object_set_new(json, "images", names_json(observed->images, observed->images_n));
	json_object_set_new(json, "foreign", names_json(observed->foreign, observed->foreign_n));
	return json;
}

json_t *checked_json(const struct checked_list *list)
{
	json_t *json = json_object(), *checked = json_array();

	for (size_t i = 0; i < list->n; i++) {
		json_t *one = json_object();

		PUT_MEMBERS(one, &list->v[i], checked_members);
		json_array_append_new(checked, one);
	}
	json_object_set_new(json, "checked", checked);
	return json;
}

int labels_from_json(const json_t *json, struct arena *arena, struct labels *out, struct err *err)
{
	*out = (struct labels){0};
	if (READ_MEMBERS(json, arena, out, labels_members, err) != 0)
		return err_wrap(err, "labels");
	return 0;
}

int spec_from_json(const json_t *json, struct arena *arena, struct spec *out, struct err *err)
{
	*out = (struct spec){.instance = 1};
	if (READ_MEMBERS(json, arena, out, spec_members, err) != 0 ||
	    read_config(json_object_get(json, "config"), arena, &out->config, err) != 0 ||
	    labels_from_json(json_object_get(json, "labels"), arena, &out->labels, err) != 0)
		return err_wrap(err, "spec");
	if (!out->name || !out->image || !out->config)
		return err_set(err, E_BAD_INPUT, "spec: name, image or config is missing");
	return 0;
}

int workload_from_json(const json_t *json, struct arena *arena, struct workload *out,
		       struct err *err)
{
	*out = (struct workload){.state = RUN_UNKNOWN, .health = HEALTH_UNKNOWN, .exit_code = -1};
	if (READ_MEMBERS(json, arena, out, workload_members, err) != 0 ||
	    read_config(json_object_get(json, "config"), arena, &out->config, err) != 0 ||
	    labels_from_json(json_object_get(json, "labels"), arena, &out->labels, err) != 0)
		return err_wrap(err, "workload");
	if (!out->name)
		return err_set(err, E_BAD_INPUT, "workload: name is missing");
	return 0;
}

static int read_workload(const json_t *json, struct arena *arena, void *out, struct err *err)
{
	return workload_from_json(json, arena, out, err);
}

static int read_volume(const json_t *json, struct arena *arena, void *out, struct err *err)
{
	const struct volume_seen *volume = out;

	if (READ_MEMBERS(json, arena, out, volume_members, err) != 0)
		return err_wrap(err, "volume");
	return volume->name ? 0 : err_set(err, E_BAD_INPUT, "volume: name is missing");
}

static int read_name(const json_t *json, struct arena *arena, void *out, struct err *err)
{
	const char *name = json_string_value(json);

	*(const char **)out = arena_strdup(arena, name);
	return name ? 0 : err_set(err, E_BAD_INPUT, "foreign: not a text");
}

/* The list called key, each element of `size` bytes read by read_one; absent is an empty one. */
static int read_list(const json_t *json, const char *key, size_t size,
		     int (*read_one)(const json_t *, struct arena *, void *, struct err *),
		     struct arena *arena, void **out, size_t *n, struct err *err)
{
	const json_t *list = json_object_get(json, key);
	char *at;

	if (list && !json_is_array(list))
		return err_set(err, E_BAD_INPUT, "%s is not a list", key);
	*n = json_array_size(list);
	*out = at = arena_array(arena, *n, size);
	for (size_t i = 0; i < *n; i++, at += size) {
		if (read_one(json_array_get(list, i), arena, at, err) != 0)
			return -1;
	}
	return 0;
}

static int read_checked(const json_t *json, struct arena *arena, void *out, struct err *err)
{
	struct checked *checked = out;

	*checked = (struct checked){.health = HEALTH_UNKNOWN};
	if (READ_MEMBERS(json, arena, out, checked_members, err) != 0)
		return -1;
	return checked->id && checked->run ? 0 : err_set(err, E_BAD_INPUT, "id or run is missing");
}

int checked_from_json(const json_t *json, struct arena *arena, struct checked_list *out,
		      struct err *err)
{
	void *list = NULL;

	*out = (struct checked_list){0};
	if (read_list(json, "checked", sizeof *out->v, read_checked, arena, &list, &out->n, err) !=
	    0)
		return err_wrap(err, "what was checked");
	out->v = list;
	return 0;
}

int observed_from_json(const json_t *json, struct arena *arena, struct observed *out,
		       struct err *err)
{
	void *workloads = NULL, *volumes = NULL, *images = NULL, *foreign = NULL;

	*out = (struct observed){0};
	if (READ_MEMBERS(json, arena, out, observed_members, err) != 0 ||
	    read_list(json, "workloads", sizeof *out->workloads, read_workload, arena, &workloads,
		      &out->workloads_n, err) != 0 ||
	    read_list(json, "volumes", sizeof *out->volumes, read_volume, arena, &volumes,
		      &out->volumes_n, err) != 0 ||
	    read_list(json, "images", sizeof *out->images, read_name, arena, &images,
		      &out->images_n, err) != 0 ||
	    read_list(json, "foreign", sizeof *out->foreign, read_name, arena, &foreign,
		      &out->foreign_n, err) != 0)
		return err_wrap(err, "what was seen");
	out->workloads = workloads;
	out->volumes = volumes;
	out->images = images;
	out->foreign = foreign;
	observed_sort(out);
	return 0;
}
