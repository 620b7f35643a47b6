#include "base/sys.h"
#include "schema/gen_words.h"

#include "base/num.h"
#include "schema/forms.h"

const char *gen_object_name(const struct object_type *type)
{
	const struct object_type *owner;

	if (type->title)
		return type->title;
	if (type == &type_config_file)
		return "file";
	if (type == &type_node_policy)
		return "node policy";
	if (type == &type_app_check)
		return "appHealthCheck"; /* there is another healthCheck */
	/* the first field of this type has the name people know */
	for (size_t i = 0; (owner = object_type_at(i)); i++) {
		for (size_t j = 0; j < owner->fields_n; j++) {
			if (owner->fields[j].object == type && owner->fields[j].type == TYPE_OBJECT)
				return owner->fields[j].key;
		}
	}
	return type->name;
}

static void add_words(const struct enum_type *type, struct buf *out)
{
	bool first = true;

	for (size_t i = 0; i < type->values_n; i++) {
		if (type->values[i].flags & LATER)
			continue;
		buf_addf(out, "%s%s", first ? "" : ", ", type->values[i].word);
		first = false;
	}
}

void gen_type_words(const struct field_type_row *row, struct buf *out)
{
	static const char *const words[] = {
		[TYPE_STRING] = "text",		 [TYPE_NAME] = "name",
		[TYPE_BOOL] = "true or false",	 [TYPE_INT] = "whole number",
		[TYPE_DURATION] = "duration",	 [TYPE_SIZE] = "size",
		[TYPE_CPU] = "processors",	 [TYPE_STRINGS] = "list of texts",
		[TYPE_MAP] = "mapping of texts", [TYPE_ANY] = "",
	};
	enum form form = FLAGS_FORM(row->flags);

	switch (row->type) {
	case TYPE_ENUM:
		buf_adds(out, "one of ");
		add_words(row->enumeration, out);
		return;
	case TYPE_OBJECT:
		buf_adds(out, gen_object_name(row->object));
		return;
	case TYPE_LIST:
		buf_addf(out, "list of %s", gen_object_name(row->object));
		return;
	case TYPE_OBJMAP:
		buf_addf(out, "mapping of name to %s", gen_object_name(row->object));
		return;
	default:
		break;
	}
	if (form != FORM_NONE && row->type == TYPE_STRING)
		buf_adds(out, form_row(form)->name);
	else if (form != FORM_NONE && row->type == TYPE_STRINGS)
		buf_addf(out, "list: each %s", form_row(form)->name);
	else
		buf_adds(out, words[row->type]);
}

static void add_bound(const struct field_type_row *row, int64_t bound, struct buf *out)
{
	char text[NUM_TEXT_MAX];

	if (row->type == TYPE_DURATION)
		buf_adds(out, num_format_duration(bound, text));
	else if (row->type == TYPE_SIZE)
		buf_adds(out, num_format_size(bound, text));
	else if (row->type == TYPE_CPU)
		buf_adds(out, num_format_cpu(bound, text));
	else
		buf_addf(out, "%lld", (long long)bound);
}

void gen_bounds_words(const struct field_type_row *row, struct buf *out)
{
	switch (row->type) {
	case TYPE_INT:
	case TYPE_DURATION:
	case TYPE_SIZE:
	case TYPE_CPU:
		if (row->max == INT64_MAX)
			buf_adds(out, "at least ");
		add_bound(row, row->min, out);
		if (row->max == INT64_MAX)
			return;
		buf_adds(out, " to ");
		add_bound(row, row->max, out);
		return;
	case TYPE_STRING:
	case TYPE_NAME:
		buf_addf(out, "at most %lld bytes", (long long)row->max);
		return;
	case TYPE_STRINGS:
	case TYPE_MAP:
	case TYPE_LIST:
	case TYPE_OBJMAP:
		buf_addf(out, "at most %lld entries", (long long)row->max);
		return;
	case TYPE_BOOL:
	case TYPE_ENUM:
	case TYPE_OBJECT:
	case TYPE_ANY:
		return;
	}
}

const char *gen_part_word(const struct field_type_row *row)
{
	if (row->flags & LATER)
		return "not supported by this build";
	if (row->flags & REL)
		return "release";
	if (row->flags & OPS)
		return "operations";
	return "";
}

bool gen_is_settings(const struct object_type *type)
{
	return type == &type_settings || type == &type_policy || type == &type_node_policy ||
	       type == &type_host_policy;
}

const char *gen_scope_words(enum kind_scope scope)
{
	switch (scope) {
	case SCOPE_ORGANIZATION:
		return "organization.yaml or the folders teams, users, nodes, registries";
	case SCOPE_PROJECT:
		return "projects/<project>/, outside of stages";
	case SCOPE_STAGE:
		return "projects/<project>/stages/<stage>/";
	case SCOPE_SHARED:
		return "bundles/, or projects/<project>/, outside of stages";
	case SCOPE_SETTINGS:
		return "the reconciler's own --config file, never the repository";
	case SCOPE_ANY:
		return "any of the known folders";
	case SCOPE_NONE:
		break;
	}
	return "";
}

/* Text that Markdown leaves alone, also within a table. */
void gen_markdown(const char *text, struct buf *out)
{
	for (; *text; text++) {
		if (*text == '|')
			buf_adds(out, "\\|");
		else if (*text == '<')
			buf_adds(out, "&lt;");
		else
			buf_addc(out, *text);
	}
}

void gen_cell(const char *text, struct buf *out)
{
	buf_adds(out, " ");
	gen_markdown(text, out);
	buf_adds(out, " |");
}
