#include "base/sys.h"
#include "schema/diag.h"
#include "base/json.h"
#include "base/version.h"

/*
 * Diagnostics as SARIF 2.1.0 (OASIS), which code hosts show beside the lines of a pull request.
 * Section numbers are those of the specification.
 */

#define SARIF_SCHEMA                                                                               \
	"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"                      \
	"sarif-schema-2.1.0.json"

/* {"text": text} (3.11) */
static json_t *message(const char *text)
{
	json_t *object = json_object();

	json_put_str(object, "text", text);
	return object;
}

/* RFC 3986: unreserved characters and the slash stand for themselves, all other bytes are %XX. */
#define PLAIN_IN_URI "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"

static void add_percent(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr(PLAIN_IN_URI, *text))
			buf_addc(out, *text);
		else
			buf_addf(out, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

/* The address of a file, relative to the repository's top (3.4.3). */
static json_t *artifact(const char *root, const char *path)
{
	AUTO_BUF struct buf uri = BUF_INIT(BUF_MAX_TEXT);
	json_t *object = json_object();

	if (root && root[0] && !str_eq(root, ".")) {
		add_percent(&uri, root);
		if (root[strlen(root) - 1] != '/')
			buf_addc(&uri, '/');
	}
	add_percent(&uri, path);
	json_put_str(object, "uri", buf_str(&uri));
	return object;
}

/* Lines and columns count from 1; endColumn is the one behind the last (3.30). */
static json_t *region(struct loc at)
{
	json_t *object = json_object();

	json_object_set_new(object, "startLine", json_integer(at.line));
	if (at.column) {
		json_int_t end = (json_int_t)at.column + (at.width ? at.width : 1);

		json_object_set_new(object, "startColumn", json_integer(at.column));
		json_object_set_new(object, "endColumn", json_integer(end));
	}
	return object;
}

/* A list of the one place there is (3.28). */
static json_t *places(const char *root, const char *path, struct loc at, const char *text)
{
	json_t *physical = json_pack("{s:o}", "artifactLocation", artifact(root, path));
	json_t *place = json_pack("{s:o}", "physicalLocation", physical);

	if (at.line)
		json_object_set_new(physical, "region", region(at));
	if (text)
		json_object_set_new(place, "message", message(text));
	return json_pack("[o]", place);
}

static void add_sentence(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	buf_add_clean(out, text, len);
	if (len && !strchr(".?!", text[len - 1]))
		buf_addc(out, '.');
}

/* A word of the language gets a capital; a key, a file name and a line to run stay what they are.
 */
static bool begins_with_word(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz");

	return len && text[len] == ' ' && !str_starts(text, "trueup ");
}

/* The hint is a sentence of its own. */
static json_t *message_of(const struct diag *diag)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT);

	add_sentence(&text, diag->message);
	if (diag->hint && diag->hint[0]) {
		bool word = begins_with_word(diag->hint);

		buf_addc(&text, ' ');
		if (word)
			buf_addc(&text, ascii_upper(diag->hint[0]));
		add_sentence(&text, diag->hint + (word ? 1 : 0));
	}
	return message(buf_str(&text));
}

/* 3.27 */
static json_t *result(const struct diag *diag, int rule, const char *root)
{
	json_t *object = json_object();

	json_put_str(object, "ruleId", diag_code_name(diag->code));
	json_object_set_new(object, "ruleIndex", json_integer(rule));
	json_put_str(object, "level", diag->severity == DIAG_ERROR ? "error" : "note");
	json_object_set_new(object, "message", message_of(diag));
	if (diag->path)
		json_object_set_new(object, "locations", places(root, diag->path, diag->at, NULL));
	if (diag->related_path)
		json_object_set_new(
			object, "relatedLocations",
			places(root, diag->related_path, diag->related, "See also here."));
	return object;
}

/* One rule for each code that occurs, in the table's order (3.49); index[code] is where it stands.
 */
static json_t *rules(const struct diag *v, size_t n, int index[DIAG_CODES])
{
	bool used[DIAG_CODES] = {false};
	json_t *list = json_array();
	int next = 0;

	for (size_t i = 0; i < n; i++)
		used[v[i].code] = true;
	for (int code = 0; code < DIAG_CODES; code++) {
		json_t *rule;

		if (!used[code])
			continue;
		rule = json_object();
		json_put_str(rule, "id", diag_code_name((enum diag_code)code));
		json_object_set_new(rule, "shortDescription",
				    message(diag_code_text((enum diag_code)code)));
		json_array_append_new(list, rule);
		index[code] = next++;
	}
	return list;
}

json_t *diags_sarif(const struct diag *v, size_t n, const char *root)
{
	int index[DIAG_CODES] = {0};
	json_t *driver = json_object(), *results = json_array(), *run;

	json_put_str(driver, "name", "trueup");
	json_put_str(driver, "version", version_text());
	json_object_set_new(driver, "rules", rules(v, n, index));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(results, result(&v[i], index[v[i].code], root));
	run = json_pack("{s:{s:o},s:s,s:o}", "tool", "driver", driver, "columnKind",
			"unicodeCodePoints", "results", results);
	return json_pack("{s:s,s:s,s:[o]}", "$schema", SARIF_SCHEMA, "version", "2.1.0", "runs",
			 run);
}
