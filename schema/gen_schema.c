#include "base/sys.h"
#include "schema/gen.h"

#include "base/json.h"
#include "schema/fields.h"
#include "schema/forms.h"
#include "schema/gen_words.h"

/*
 * JSON Schema, https://json-schema.org/draft/2020-12. A plain scalar that looks like a number is a
 * number to a validator, and a text to us: so texts allow numbers and booleans, too.
 */

#define DIALECT "https://json-schema.org/draft/2020-12/schema"
#define DURATION_PATTERN "^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
#define SIZE_PATTERN "^[0-9]+(Ki|Mi|Gi|Ti|k|K|M|G|T)?$"
#define CPU_PATTERN "^[0-9]+(m|\\.[0-9]{1,3})?$"
#define PORT_PATTERN "^([0-9]+:)?[0-9]+(/(tcp|udp))?$"

static void put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *types(const char *const *names)
{
	json_t *array = json_array();

	for (; *names; names++)
		json_array_append_new(array, json_string(*names));
	return array;
}

static json_t *text_types(void)
{
	static const char *const names[] = {"string", "number", "boolean", NULL};

	return types(names);
}

static json_t *reference(const struct object_type *type)
{
	return json_pack("{s:s+}", "$ref", "#/$defs/", gen_object_name(type));
}

/* The whole text has the form; or, where that is allowed, holds a template. */
static void put_pattern(json_t *schema, const char *pattern, bool templates)
{
	AUTO_FREE char *text = NULL;

	if (!*pattern)
		return;
	text = mem_printf(templates ? "^(?:%s)$|\\{\\{" : "^(?:%s)$", pattern);
	put(schema, "pattern", json_string(text));
}

static json_t *text_schema(const struct object_type *type, const struct field_type_row *row)
{
	enum form form = row->type == TYPE_NAME ? FORM_NAME : FLAGS_FORM(row->flags);
	bool templates = field_takes_templates(type, row);
	json_t *schema = json_object();

	put(schema, "type", text_types());
	if (form != FORM_NONE)
		put_pattern(schema, form_row(form)->pattern, templates);
	if (row->type == TYPE_STRINGS)
		return schema;
	if (row->min > 0)
		put(schema, "minLength", json_integer(1));
	if (!templates)
		put(schema, "maxLength", json_integer(row->max));
	return schema;
}

static json_t *amount_schema(const struct field_type_row *row)
{
	static const char *const string[] = {"string", NULL};
	static const char *const number[] = {"string", "number", NULL};
	json_t *schema = json_object();

	put(schema, "type", types(row->type == TYPE_DURATION ? string : number));
	put(schema, "pattern",
	    json_string(row->type == TYPE_DURATION ? DURATION_PATTERN
			: row->type == TYPE_SIZE   ? SIZE_PATTERN
						   : CPU_PATTERN));
	return schema;
}

static json_t *enum_schema(const struct field_type_row *row)
{
	json_t *words = json_array();

	for (size_t i = 0; i < row->enumeration->values_n; i++) {
		if (!(row->enumeration->values[i].flags & LATER))
			json_array_append_new(words, json_string(row->enumeration->values[i].word));
	}
	return json_pack("{s:o}", "enum", words);
}

static json_t *map_schema(const struct field_type_row *row)
{
	static const char *const with_null[] = {"string", "number", "boolean", "null", NULL};
	const struct form_row *form = form_row(FLAGS_FORM(row->flags));
	json_t *schema = json_pack("{s:s, s:I, s:I}", "type", "object", "minProperties",
				   (json_int_t)row->min, "maxProperties", (json_int_t)row->max);
	json_t *keys = json_object(), *values = json_object();

	put_pattern(keys, form->pattern, false);
	put(values, "type",
	    form_takes_null(FLAGS_FORM(row->flags)) ? types(with_null) : text_types());
	put_pattern(values, form->value_pattern, false);
	put(schema, "propertyNames", keys);
	put(schema, "additionalProperties", values);
	return schema;
}

static json_t *list_schema(const struct field_type_row *row, json_t *items)
{
	return json_pack("{s:s, s:o, s:I, s:I}", "type", "array", "items", items, "minItems",
			 (json_int_t)row->min, "maxItems", (json_int_t)row->max);
}

static json_t *item_schema(const struct field_type_row *row)
{
	if (!(row->flags & SHORT))
		return reference(row->object);
	return json_pack("{s:[o, {s:[s,s], s:s}]}", "anyOf", reference(row->object), "type",
			 "string", "integer", "pattern", PORT_PATTERN);
}

static json_t *value_schema(const struct object_type *type, const struct field_type_row *row)
{
	switch (row->type) {
	case TYPE_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case TYPE_INT:
		return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum",
				 (json_int_t)row->min, "maximum", (json_int_t)row->max);
	case TYPE_DURATION:
	case TYPE_SIZE:
	case TYPE_CPU:
		return amount_schema(row);
	case TYPE_ENUM:
		return enum_schema(row);
	case TYPE_STRINGS:
		return list_schema(row, text_schema(type, row));
	case TYPE_MAP:
		return map_schema(row);
	case TYPE_OBJECT:
		return reference(row->object);
	case TYPE_LIST:
		return list_schema(row, item_schema(row));
	case TYPE_OBJMAP:
		return json_pack("{s:s, s:o}", "type", "object", "additionalProperties",
				 reference(row->object));
	case TYPE_STRING:
	case TYPE_NAME:
	case TYPE_ANY:
		break;
	}
	return text_schema(type, row);
}

/* A field that may be left out may be null, too: unset, or taken away from a weaker layer. */
static json_t *field_schema(const struct object_type *type, const struct field_type_row *row)
{
	json_t *schema = value_schema(type, row);

	if (!(row->flags & REQ))
		schema = json_pack("{s:[o, {s:s}]}", "anyOf", schema, "type", "null");
	put(schema, "description", json_string(row->text));
	if (row->fallback)
		put(schema, "default", json_string(row->fallback));
	return schema;
}

/* Two of the fields flagged ONE, neither of them null. */
static json_t *both(const char *first, const char *second)
{
	return json_pack("{s:[s,s], s:{s:{s:{s:s}}, s:{s:{s:s}}}}", "required", first, second,
			 "properties", first, "not", "type", "null", second, "not", "type", "null");
}

static json_t *exclusions(const struct object_type *type)
{
	json_t *pairs = json_array();

	for (size_t i = 0; i < type->fields_n; i++) {
		for (size_t j = i + 1; j < type->fields_n; j++) {
			unsigned flags = type->fields[i].flags & type->fields[j].flags;
			unsigned either = type->fields[i].flags | type->fields[j].flags;

			if ((flags & ONE) && !(either & LATER))
				json_array_append_new(
					pairs, both(type->fields[i].key, type->fields[j].key));
		}
	}
	return pairs;
}

static void put_common(json_t *properties, const struct object_type *type)
{
	put(properties, "kind", json_pack("{s:s}", "const", type->title));
	put(properties, "apiVersion", json_pack("{s:s}", "const", "trueup/v1"));
	put(properties, "project", json_pack("{s:s}", "type", "string"));
	put(properties, "stage", json_pack("{s:s}", "type", "string"));
}

static json_t *object_schema(const struct object_type *type)
{
	json_t *properties = json_object(), *required = json_array(), *pairs = exclusions(type);
	json_t *schema = json_object();

	if (type->title) {
		put_common(properties, type);
		json_array_append_new(required, json_string("kind"));
	}
	for (size_t i = 0; i < type->fields_n; i++) {
		const struct field_type_row *row = &type->fields[i];

		if (row->flags & LATER)
			continue;
		put(properties, row->key, field_schema(type, row));
		if (row->flags & REQ)
			json_array_append_new(required, json_string(row->key));
	}
	put(schema, "type", json_string("object"));
	put(schema, "title", json_string(gen_object_name(type)));
	put(schema, "description", json_string(type->text));
	put(schema, "properties", properties);
	put(schema, "required", required);
	put(schema, "additionalProperties", json_false());
	if (json_array_size(pairs))
		put(schema, "not", json_pack("{s:O}", "anyOf", pairs));
	json_decref(pairs);
	return schema;
}

static bool belongs(const struct object_type *type)
{
	return !gen_is_settings(type) && !(type->flags & LATER);
}

void gen_schema(struct buf *out)
{
	AUTO_JSON json_t *schema = json_object();
	json_t *kinds = json_array(), *definitions = json_object();
	const struct object_type *type;

	for (size_t i = 0; (type = object_type_at(i)); i++) {
		if (!belongs(type))
			continue;
		put(definitions, gen_object_name(type), object_schema(type));
		if (type->title)
			json_array_append_new(kinds, reference(type));
	}
	put(schema, "$schema", json_string(DIALECT));
	put(schema, "$id", json_string("urn:trueup:schema:v1"));
	put(schema, "title", json_string("trueup manifest"));
	put(schema, "oneOf", kinds);
	put(schema, "$defs", definitions);
	json_print(schema, out);
}
