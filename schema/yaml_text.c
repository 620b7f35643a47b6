#include "base/sys.h"
#include "schema/yaml_text.h"

#include "base/json.h"

#define WIDTH 88 /* what is short enough stands on one line */

/* ---- texts ---- */

/* Would a reader take it for something else? Those of YAML 1.1 are asked, too. */
static bool reads_otherwise(const char *text)
{
	static const char *const words[] = {"true", "false", "null", "yes", "no",
					    "on",   "off",   "y",    "n",   "~"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcasecmp(text, words[i]) == 0)
			return true;
	}
	return text[strspn(text, "0123456789.eExXobB_:+-")] == '\0';
}

static bool is_plain(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
			  inner[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_./+@%=-";
	bool first = *text && (strchr(letters, *text) || strchr("/._0123456789", *text));

	return first && text[strspn(text, inner)] == '\0' && !reads_otherwise(text);
}

/* An image with its tag needs no quotes where no brackets are around it. */
static bool is_plain_image(const char *text)
{
	const char *colon = strchr(text, ':');
	AUTO_FREE char *before = colon ? mem_strndup(text, (size_t)(colon - text)) : NULL;

	return colon && is_plain(before) && strchr(before, '/') && colon[1] != '/' && colon[1] &&
	       colon[strspn(colon, ":abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0';
}

void yaml_put_text(const char *text, struct buf *out)
{
	if (is_plain(text))
		buf_adds(out, text);
	else
		buf_add_json(out, text);
}

/* Several lines that may stand as they are: the first one is not indented, no control characters.
 */
static bool is_block(const char *text)
{
	const char *first = text + strspn(text, "\n");

	if (!strchr(text, '\n') || !*first || *first == ' ' || *first == '\t')
		return false;
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if ((*c < ' ' && *c != '\n' && *c != '\t') || *c > '~')
			return false;
	}
	return true;
}

static void blanks(int n, struct buf *out)
{
	buf_addf(out, "%*s", n, "");
}

static void put_block(const char *text, int indent, struct buf *out)
{
	size_t len = strlen(text);
	bool ends = text[len - 1] == '\n', more = ends && len > 1 && text[len - 2] == '\n';

	buf_adds(out, !ends ? "|-\n" : more ? "|+\n" : "|\n");
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");

		if (n)
			blanks(indent, out);
		buf_add(out, line, n);
		buf_addc(out, '\n');
		line += n + (line[n] == '\n');
	}
}

/* ---- on one line ---- */

static void put_flow(const json_t *value, struct buf *out)
{
	const char *key, *comma = "";
	const json_t *item;
	size_t i;

	if (json_is_string(value)) {
		yaml_put_text(json_string_value(value), out);
	} else if (json_is_array(value)) {
		buf_addc(out, '[');
		json_array_foreach(value, i, item)
		{
			buf_adds(out, comma);
			put_flow(item, out);
			comma = ", ";
		}
		buf_addc(out, ']');
	} else if (json_is_object(value)) {
		buf_addc(out, '{');
		json_object_foreach((json_t *)(uintptr_t)value, key, item)
		{
			buf_adds(out, comma);
			yaml_put_text(key, out);
			buf_adds(out, ": ");
			put_flow(item, out);
			comma = ", ";
		}
		buf_addc(out, '}');
	} else {
		AUTO_FREE char *text = json_dumps(value, JSON_ENCODE_ANY);

		buf_adds(out, text ? text : "null");
	}
}

/* ---- in blocks ---- */

/* " value" on the rest of the line where that is short, and no mapping of its own. */
static bool put_short(const json_t *value, int indent, struct buf *out)
{
	AUTO_BUF struct buf flow = BUF_INIT(BUF_MAX_TEXT);

	if (json_is_object(value) && json_object_size(value))
		return false;
	if (json_is_string(value) && is_plain_image(json_string_value(value)))
		buf_adds(&flow, json_string_value(value));
	else
		put_flow(value, &flow);
	if ((size_t)indent + flow.len > WIDTH && !json_is_string(value))
		return false;
	buf_addc(out, ' ');
	buf_add(out, flow.ptr, flow.len);
	buf_addc(out, '\n');
	return true;
}

static void put_value(const struct field_type_row *row, const json_t *value, int indent,
		      struct buf *out);

static void put_map(const json_t *map, int indent, struct buf *out)
{
	const char *key;
	const json_t *value;

	json_object_foreach((json_t *)(uintptr_t)map, key, value)
	{
		blanks(indent, out);
		yaml_put_text(key, out);
		buf_addc(out, ':');
		put_value(NULL, value, indent, out);
	}
}

static bool has_lines(const json_t *value)
{
	const char *key;
	const json_t *item;

	json_object_foreach((json_t *)(uintptr_t)value, key, item)
	{
		if (json_is_string(item) && is_block(json_string_value(item)))
			return true;
	}
	return false;
}

static void put_items(const struct field_type_row *row, const json_t *list, int indent,
		      struct buf *out)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		AUTO_BUF struct buf flow = BUF_INIT(BUF_MAX_TEXT);

		put_flow(item, &flow);
		blanks(indent, out);
		buf_adds(out, "- ");
		if (!row || !row->object ||
		    ((size_t)indent + flow.len <= WIDTH && !has_lines(item))) {
			buf_add(out, flow.ptr, flow.len);
			buf_addc(out, '\n');
		} else {
			AUTO_BUF struct buf inner = BUF_INIT(BUF_MAX_TEXT);

			/* the first field stands behind the dash */
			yaml_put_object(row->object, item, indent + 2, &inner);
			buf_add(out, inner.ptr + indent + 2, inner.len - (size_t)indent - 2);
		}
	}
}

/* What stands behind "key:". */
static void put_value(const struct field_type_row *row, const json_t *value, int indent,
		      struct buf *out)
{
	if (json_is_string(value) && is_block(json_string_value(value))) {
		buf_addc(out, ' ');
		put_block(json_string_value(value), indent + 2, out);
	} else if (json_is_array(value) && row && row->object) {
		buf_addc(out, '\n');
		put_items(row, value, indent + 2, out);
	} else if (!put_short(value, indent, out)) {
		buf_addc(out, '\n');
		if (json_is_array(value))
			put_items(row, value, indent + 2, out);
		else if (row && row->type == TYPE_OBJECT)
			yaml_put_object(row->object, value, indent + 2, out);
		else
			put_map(value, indent + 2, out);
	}
}

void yaml_put_object(const struct object_type *type, const json_t *object, int indent,
		     struct buf *out)
{
	for (size_t i = 0; i < type->fields_n; i++) {
		const json_t *value = json_object_get(object, type->fields[i].key);

		if (!value)
			continue;
		blanks(indent, out);
		buf_addf(out, "%s:", type->fields[i].key);
		put_value(&type->fields[i], value, indent, out);
	}
}
