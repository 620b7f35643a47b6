#include "base/sys.h"
#include "base/json.h"
#include "base/utf8.h"

/* Before main, so that no value is ever made with an allocator that gives NULL. */
__attribute__((constructor)) static void use_our_allocator(void)
{
	json_set_alloc_funcs(mem_alloc, free);
}

void json_decref_ptr(json_t **value)
{
	json_decref(*value);
	*value = NULL;
}

json_t *json_read(const char *text, size_t len, size_t max, struct err *err)
{
	json_error_t problem;
	json_t *value;

	if (len > max) {
		err_set(err, E_TOO_LARGE, "JSON of %zu bytes, at most %zu are read", len, max);
		return NULL;
	}
	value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
	if (!value)
		err_set(err, E_BAD_INPUT, "JSON: line %d, column %d: %s", problem.line,
			problem.column, problem.text);
	return value;
}

static int add_piece(const char *bytes, size_t len, void *buf)
{
	buf_add(buf, bytes, len);
	return 0;
}

static void dump(const json_t *value, struct buf *out, size_t flags)
{
	if (json_dump_callback(value, add_piece, out, flags | JSON_ENCODE_ANY) != 0)
		out->overflow = true;
}

json_t *json_kept(const char *text, size_t max)
{
	json_t *kept = text ? json_read(text, strlen(text), max, NULL) : NULL;

	if (json_is_object(kept))
		return kept;
	json_decref(kept);
	return json_object();
}

void json_write(const json_t *value, struct buf *out)
{
	dump(value, out, JSON_COMPACT | JSON_SORT_KEYS);
}

void json_print(const json_t *value, struct buf *out)
{
	dump(value, out, JSON_INDENT(2));
	buf_addc(out, '\n');
}

const char *json_str(const json_t *object, const char *key, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : otherwise;
}

int64_t json_int(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *member = json_object_get(object, key);

	return json_is_integer(member) ? json_integer_value(member) : otherwise;
}

bool json_flag(const json_t *object, const char *key, bool otherwise)
{
	const json_t *member = json_object_get(object, key);

	return json_is_boolean(member) ? json_is_true(member) : otherwise;
}

static json_t *repaired_string(const char *text)
{
	struct buf buf AUTO_BUF = BUF_INIT(SIZE_MAX / 2);
	size_t len = strlen(text);

	for (size_t at = 0; at < len;) {
		size_t step = utf8_length(text + at, len - at);

		if (step)
			buf_add(&buf, text + at, step);
		else
			buf_adds(&buf, UTF8_REPLACEMENT);
		at += step ? step : 1;
	}
	return json_string(buf_str(&buf));
}

void json_put_str(json_t *object, const char *key, const char *text)
{
	json_t *member;

	if (!text)
		member = json_null();
	else if (utf8_is_valid(text, strlen(text)))
		member = json_string(text);
	else
		member = repaired_string(text);
	json_object_set_new(object, key, member);
}
