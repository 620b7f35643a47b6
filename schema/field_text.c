#include "base/sys.h"
#include "schema/fields.h"

#include "base/num.h"
#include "schema/check.h"
#include "schema/forms.h"
#include "schema/image.h"

/* What a single text must look like, and how a problem with it is put. */

#define HINTS_MAX 100 /* more problems than this are not all of them typing slips */

const char *hint_nearest(struct diags *diags, const char *word, const char *const *candidates,
			 size_t n)
{
	const char *nearest = NULL;

	if (diags->errors < HINTS_MAX)
		nearest = check_nearest(word, candidates, n);
	return nearest ? diags_text(diags, "did you mean %s?", nearest) : NULL;
}

static bool name_fits(const struct field_type_row *row, const char *text, struct loc at,
		      const struct doc_source *source)
{
	size_t len = strlen(text);

	if (!form_text_fits(FORM_NAME, text)) {
		source_error(source, DIAG_BAD_NAME, at,
			     "%s must be small letters, digits and inner dashes", row->key);
		return false;
	}
	if ((int64_t)len <= row->max)
		return true;
	source_error(source, DIAG_BAD_NAME, at, "%s can have at most %lld characters, not %zu",
		     row->key, (long long)row->max, len);
	return false;
}

static bool image_fits(const struct field_type_row *row, const char *text, struct loc at,
		       const struct doc_source *source)
{
	struct err err = ERR_INIT;

	if (image_ref_check(text, &err) == 0)
		return true;
	source_error(source, DIAG_BAD_IMAGE, at, "%s: %s", row->key, err.text);
	return false;
}

static bool length_fits(const struct field_type_row *row, const char *text, struct loc at,
			const struct doc_source *source)
{
	size_t len = strlen(text);

	if ((int64_t)len >= row->min && (int64_t)len <= row->max)
		return true;
	source_error(source, DIAG_BAD_VALUE, at,
		     "%s must have between %lld and %lld bytes, not %zu", row->key,
		     (long long)row->min, (long long)row->max, len);
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
		     form_row(form)->text);
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
	return is_configuration(type, &type_container) || row == &type_image.fields[image_image_F];
}
