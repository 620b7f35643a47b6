#include "base/sys.h"
#include "schema/field_hints.h"

#include <signal.h>

#include "schema/check.h"
#include "schema/doc.h"
#include "schema/forms.h"
#include "schema/gen_words.h"

/* What a person probably meant; every function here returns NULL where nothing sensible can be
 * said. */

#define HINTS_MAX 100 /* more problems than this are not all of them typing slips */

const char *hint_nearest(struct diags *diags, const char *word, const char *const *candidates,
			 size_t n)
{
	const char *nearest = NULL;

	if (diags->errors < HINTS_MAX)
		nearest = check_nearest(word, candidates, n);
	return nearest ? diags_text(diags, "did you mean %s?", nearest) : NULL;
}

/* ---- texts ---- */

/* The same in small letters, with a dash for everything that cannot stand in a name. */
static const char *name_hint(struct diags *diags, const struct field_type_row *row,
			     const char *text)
{
	char name[64];
	size_t n = 0;

	for (; *text && n + 1 < sizeof name; text++) {
		char c = ascii_lower(*text);

		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
			name[n++] = c;
		else if (n && name[n - 1] != '-' && (unsigned char)c < 0x80)
			name[n++] = '-';
	}
	while (n && name[n - 1] == '-')
		n--;
	name[n] = '\0';
	if (*text || n == 0 || (row->type == TYPE_NAME && (int64_t)n > row->max))
		return NULL;
	return diags_text(diags, "%s, for instance", name);
}

static const char *path_hint(struct diags *diags, const char *text, bool absolute)
{
	size_t len = strlen(text);

	if (str_starts(text, "~/"))
		return "~ stands for no folder here: write the whole path";
	if (absolute && *text != '/')
		return "it begins with /";
	if (strstr(text, "//"))
		return "two slashes stand together";
	if (text[len - 1] == '/')
		return diags_text(diags, "without the slash at its end: %.*s", (int)len - 1, text);
	return strchr(text, '.') ? "\".\" and \"..\" cannot be parts of it"
				 : "a control character is in it";
}

static const char *signal_hint(struct diags *diags, const char *text)
{
	const char *names[64];
	char buffer[64][16], word[16];
	size_t n = 0;

	for (int number = 1; number < SIGRTMIN && n < ARRAY_LEN(names); number++) {
		const char *abbreviation = sigabbrev_np(number);

		if (!abbreviation)
			continue;
		snprintf(buffer[n], sizeof buffer[n], "SIG%s", abbreviation);
		snprintf(word, sizeof word, "%d", number);
		names[n] = buffer[n];
		if (str_eq(word, text) || strcasecmp(abbreviation, text) == 0)
			return diags_text(diags, "did you mean %s?", names[n]);
		n++;
	}
	return hint_nearest(diags, text, names, n);
}

/* Engines and manuals write CAP_NET_ADMIN or net_admin. */
static const char *capability_hint(struct diags *diags, const char *text)
{
	char name[32];
	size_t n = 0;

	text += *text == '-';
	text += strncasecmp(text, "CAP_", 4) == 0 ? 4 : 0;
	for (; *text && n + 1 < sizeof name; text++)
		name[n++] = (char)(*text >= 'a' && *text <= 'z' ? *text - 'a' + 'A' : *text);
	name[n] = '\0';
	for (n = 0; form_capabilities[n]; n++) {
		if (str_eq(form_capabilities[n], name))
			return diags_text(diags, "without CAP_, in capitals: %s", name);
	}
	return hint_nearest(diags, name, form_capabilities, n);
}

const char *hint_text(struct diags *diags, const struct field_type_row *row, const char *text)
{
	enum form form = FLAGS_FORM(row->flags);

	if (strstr(text, "{{"))
		return "templates stand in config and image only";
	if (row->type == TYPE_NAME || form == FORM_NAME)
		return name_hint(diags, row, text);
	if (!*text)
		return NULL;
	switch (form) {
	case FORM_PATH:
	case FORM_ABSOLUTE:
		return path_hint(diags, text, form == FORM_ABSOLUTE);
	case FORM_SIGNAL:
		return signal_hint(diags, text);
	case FORM_CAPABILITY:
	case FORM_CAPABILITY_NAME:
		return capability_hint(diags, text);
	case FORM_URL_PATH:
		return strstr(text, "://") ? "only the path: the node itself is asked" : NULL;
	case FORM_STATUS:
		return strchr(text, ' ') ? "without blanks" : NULL;
	case FORM_SSH_KEY:
		return strstr(text, "PRIVATE KEY")
			       ? "a private key, public from now on: make another, "
				 "and give its .pub file"
			       : NULL;
	default:
		return NULL;
	}
}

/* ---- pairs ---- */

const char *hint_pair_key(struct diags *diags, const struct field_type_row *row, const char *key)
{
	if (str_eq(key, MERGE_KEY))
		return MERGE_KEY_HINT;
	if (FLAGS_FORM(row->flags) == FORM_MEMBERS || FLAGS_FORM(row->flags) == FORM_REQUIRES)
		return name_hint(diags, row, key);
	return strchr(key, '=') ? "NAME: value, with a colon" : NULL;
}

/* What other tools take for a range. */
static const char *range_hint(const char *text)
{
	if (strpbrk(text, "^~"))
		return "comparisons only: for ^1.2 write \">= 1.2, < 2\"";
	return strchr(text, 'v') ? "versions without a v in front" : NULL;
}

const char *hint_pair_value(struct diags *diags, const struct field_type_row *row,
			    const struct doc_node *value)
{
	const char *words[FIELD_WORDS_MAX];

	if (FLAGS_FORM(row->flags) == FORM_REQUIRES)
		return value->type == DOC_SCALAR ? range_hint(value->text) : NULL;
	if (doc_is_null(value))
		return FLAGS_FORM(row->flags) == FORM_MEMBERS ? NULL : "\"\" is the empty text";
	if (value->type != DOC_SCALAR || FLAGS_FORM(row->flags) != FORM_MEMBERS)
		return NULL;
	for (size_t i = 0; i < words_role.values_n; i++)
		words[i] = words_role.values[i].word;
	return hint_nearest(diags, value->text, words, words_role.values_n);
}

/* ---- values of another type ---- */

/* "a b" is two words of a command, and one text of every other list. */
static const char *list_hint(struct diags *diags, const struct field_type_row *row,
			     const char *text)
{
	bool words = row->type == TYPE_STRINGS && FLAGS_FORM(row->flags) == FORM_NONE;
	AUTO_BUF struct buf list = BUF_INIT(BUF_MAX_LINE);

	if (row->type == TYPE_STRINGS && *text == '-' && strstr(text, " -"))
		return "each entry begins with a dash and a blank";
	if (!*text || strlen(text) > 60 || strpbrk(text, "[]{}\"'#"))
		return NULL;
	for (; *text; text++) {
		if (words && *text == ' ' && list.len && text[-1] != ',')
			buf_addc(&list, ',');
		buf_addc(&list, *text);
	}
	return diags_text(diags, "as a list: [%s]", buf_str(&list));
}

/* "rolling" where "{type: rolling}" was meant. */
static const char *object_hint(struct diags *diags, const struct field_type_row *row,
			       const char *text)
{
	for (size_t i = 0; i < row->object->fields_n; i++) {
		const struct field_type_row *field = &row->object->fields[i];

		if (field->type == TYPE_ENUM && enum_find(field->enumeration, text))
			return diags_text(diags, "%s: {%s: %s}", row->key, field->key, text);
	}
	return NULL;
}

/* "- A=1", as in a Compose file. */
static const char *map_hint(struct diags *diags, const struct doc_node *node)
{
	const struct doc_node *first =
		node->type == DOC_SEQUENCE && node->n ? node->items[0] : NULL;
	const char *equal = first && first->type == DOC_SCALAR ? strchr(first->text, '=') : NULL;

	if (!equal || strlen(first->text) > 60 || strpbrk(first->text, "\"\\:{}"))
		return NULL;
	return diags_text(diags, "as a mapping: {%.*s: \"%s\"}", (int)(equal - first->text),
			  first->text, equal + 1);
}

static const char *bool_hint(const struct doc_node *node)
{
	static const char *const old[][2] = {
		{"yes", "a text in YAML 1.2: write true"},
		{"on", "a text in YAML 1.2: write true"},
		{"y", "a text in YAML 1.2: write true"},
		{"no", "a text in YAML 1.2: write false"},
		{"off", "a text in YAML 1.2: write false"},
		{"n", "a text in YAML 1.2: write false"},
	};

	for (size_t i = 0; i < ARRAY_LEN(old); i++) {
		if (strcasecmp(node->text, old[i][0]) == 0)
			return old[i][1];
	}
	return NULL;
}

const char *hint_type(struct diags *diags, const struct field_type_row *row,
		      const struct doc_node *node)
{
	bool number = row->type == TYPE_INT || row->type == TYPE_BOOL;

	if (row->type == TYPE_MAP)
		return map_hint(diags, node);
	if (node->type != DOC_SCALAR || doc_is_null(node))
		return NULL;
	if (number && !node->plain)
		return node->n ? "write it without quotes" : NULL;
	switch (row->type) {
	case TYPE_BOOL:
		return bool_hint(node);
	case TYPE_STRINGS:
		return list_hint(diags, row, node->text);
	case TYPE_LIST:
		return row->flags & SHORT ? list_hint(diags, row, node->text) : NULL;
	case TYPE_OBJECT:
		return object_hint(diags, row, node->text);
	case TYPE_DURATION:
		return *node->text && node->text[strspn(node->text, "0123456789")] == '\0'
			       ? diags_text(diags, "with a unit: %.20ss", node->text)
			       : NULL;
	default:
		return NULL;
	}
}

/* ---- fields ---- */

/* What people write who come from elsewhere. */
static const struct {
	const char *foreign, *ours;
} synonyms[] = {
	{"environment", "env"},
	{"entrypoint", "command"},
	{"replicas", "scale"},
	{"restart", "restartPolicy"},
	{"workdir", "workingDirectory"},
	{"working_dir", "workingDirectory"},
	{"depends_on", "dependsOn"},
	{"health_check", "healthCheck"},
	{"containerPort", "container"},
	{"hostPort", "host"},
	{"published", "host"},
	{"source", "name"},
	{"target", "path"},
	{"mountPath", "path"},
	{"test", "command"},
	{"httpGet", "http"},
	{"tcpSocket", "tcp"},
	{"mem_limit", "memory"},
	{"stop_grace_period", "stopTimeout"},
	{"stop_signal", "stopSignal"},
};

static const struct field_type_row *synonym(const struct object_type *type, const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(synonyms); i++) {
		if (str_eq(synonyms[i].foreign, key))
			return object_field(type, synonyms[i].ours);
	}
	return NULL;
}

const struct field_type_row *hint_meant_field(const struct diags *diags,
					      const struct object_type *type, const char *key)
{
	const struct field_type_row *row = synonym(type, key);
	const char *keys[64], *near;

	if (row || diags->errors >= HINTS_MAX)
		return row;
	for (size_t i = 0; i < type->fields_n; i++)
		keys[i] = type->fields[i].key;
	near = check_nearest(key, keys, type->fields_n);
	return near ? object_field(type, near) : NULL;
}

/* The one object inside of this type that has the field; NULL when there are several, or none. */
static const char *inner_hint(struct diags *diags, const struct object_type *type, const char *key)
{
	const struct field_type_row *inner = NULL, *field = NULL;

	for (size_t i = 0; i < type->fields_n; i++) {
		const struct field_type_row *row = &type->fields[i], *found;

		if (row->type != TYPE_OBJECT)
			continue;
		found = object_field(row->object, key);
		found = found ? found : synonym(row->object, key);
		if (found && inner)
			return NULL;
		if (found) {
			inner = row;
			field = found;
		}
	}
	return inner ? diags_text(diags, "%s: {%s: ...}", inner->key, field->key) : NULL;
}

const char *hint_unknown_field(struct diags *diags, const struct object_type *type, const char *key,
			       const struct field_type_row *meant)
{
	const char *hint;

	if (str_eq(key, MERGE_KEY))
		return MERGE_KEY_HINT;
	if (diags->errors >= HINTS_MAX)
		return NULL;
	if (meant)
		return diags_text(diags, "did you mean %s?", meant->key);
	hint = inner_hint(diags, type, key);
	return hint ? hint
		    : diags_text(diags, "trueup explain %s lists what there is",
				 gen_object_name(type));
}

void field_words(const struct enum_type *type, char out[FIELD_LIST_MAX])
{
	size_t left = 0, len = 0;

	for (size_t i = 0; i < type->values_n; i++)
		left += !(type->values[i].flags & LATER);
	out[0] = '\0';
	for (size_t i = 0; i < type->values_n; i++) {
		if (type->values[i].flags & LATER)
			continue;
		left--;
		len += (size_t)snprintf(out + len, FIELD_LIST_MAX - len, "%s%s",
					type->values[i].word,
					left > 1    ? ", "
					: left == 1 ? " or "
						    : "");
	}
}

const char *hint_missing_field(struct diags *diags, const struct field_type_row *row)
{
	char list[FIELD_LIST_MAX];

	if (row->type == TYPE_ENUM) {
		field_words(row->enumeration, list);
		return diags_text(diags, "%s: %s", row->key, list);
	}
	if (str_eq(row->key, "name"))
		return "name: web, for instance";
	return diags_text(diags, "%s: %s", row->key, row->text);
}
