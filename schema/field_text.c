#include "base/sys.h"
#include "schema/field_hints.h"

#include "schema/forms.h"
#include "schema/image.h"

/* What a single text must look like, and how a problem with it is put. */

static bool name_fits(const struct field_type_row *row, const char *text, struct loc at,
		      const struct doc_source *source)
{
	size_t len = strlen(text);

	/* Compose files have names of their own, and what became of them is kept as it is */
	bool wide = (source->compose || source->own) && FLAGS_FORM(row->flags);

	if (!form_text_fits(wide ? FLAGS_FORM(row->flags) : FORM_NAME, text)) {
		source_error(source, DIAG_BAD_NAME, at,
			     !*text ? "%s must not be empty"
			     : wide ? "%s must be letters, digits, dots, dashes and underscores"
				    : "%s must be small letters, digits and inner dashes",
			     row->key)
			->hint = wide ? NULL : hint_text(source->diags, row, text);
		return false;
	}
	if ((int64_t)len <= row->max)
		return true;
	source_error(source, DIAG_BAD_NAME, at, "%s can have at most %lld characters, not %zu",
		     row->key, (long long)row->max, len);
	return false;
}

void report_image(const struct doc_source *source, struct loc at, const char *key,
		  const struct err *err)
{
	const char *rule = strstr(err->text, IMAGE_RULE);
	int len = rule ? (int)(rule - err->text) : (int)strlen(err->text);

	source_error(source, DIAG_BAD_IMAGE, at, "%s: %.*s", key, len, err->text)->hint =
		rule ? diags_text(source->diags, "%s", rule + strlen(IMAGE_RULE)) : NULL;
}

static bool image_fits(const struct field_type_row *row, const char *text, struct loc at,
		       const struct doc_source *source)
{
	struct err err = ERR_INIT;

	if (image_ref_check(text, &err) == 0)
		return true;
	report_image(source, at, row->key, &err);
	return false;
}

static bool length_fits(const struct field_type_row *row, const char *text, struct loc at,
			const struct doc_source *source)
{
	size_t len = strlen(text);

	if ((int64_t)len >= row->min && (int64_t)len <= row->max)
		return true;
	if ((int64_t)len > row->max)
		source_error(source, DIAG_BAD_VALUE, at, "%s can have at most %lld bytes, not %zu",
			     row->key, (long long)row->max, len);
	else
		source_error(source, DIAG_BAD_VALUE, at,
			     "%s must have at least %lld bytes, not %zu", row->key,
			     (long long)row->min, len);
	return false;
}

bool field_text_fits(const struct field_type_row *row, const char *text, struct loc at,
		     const struct doc_source *source)
{
	enum form form = FLAGS_FORM(row->flags);

	if (row->type == TYPE_NAME)
		return name_fits(row, text, at, source);
	if (row->type == TYPE_STRING && row->min > 0 && !*text) {
		source_error(source, DIAG_BAD_VALUE, at, "%s must not be empty", row->key);
		return false;
	}
	if (form == FORM_IMAGE)
		return image_fits(row, text, at, source);
	if (form_text_fits(form, text))
		return row->type == TYPE_STRINGS || length_fits(row, text, at, source);
	source_error(source, form == FORM_NAME ? DIAG_BAD_NAME : DIAG_BAD_VALUE, at,
		     "%s%s must be %s", row->type == TYPE_STRINGS ? "an entry of " : "", row->key,
		     form_row(form)->text)
		->hint = hint_text(source->diags, row, text);
	return false;
}

/* Is `type` the configuration of a container, or a part of it? */
static bool is_configuration(const struct object_type *type, const struct object_type *whole)
{
	if (type == whole)
		return true;
	for (size_t i = 0; i < whole->fields_n; i++) {
		if (whole->fields[i].object && is_configuration(type, whole->fields[i].object))
			return true;
	}
	return false;
}

bool field_takes_templates(const struct object_type *type, const struct field_type_row *row)
{
	return is_configuration(type, &type_container) ||
	       row == &type_image.fields[image_image_F] || row == &type_app.fields[app_image_F];
}
