#include "base/sys.h"
#include "tests/support/bombs.h"

#include "schema/decode.h"
#include "schema/doc.h"

#define MILLION 1000000
#define MANIFEST "kind: User\nname: ann\n"

#define TEN(text) text text text text text text text text text text
#define LEVEL(name, below) #name ": &" #name " [" TEN("*" #below " ,") "]\n"

#define COMPOSE_IMAGE "services: {a: {image: "

const struct bomb bombs[] = {
	{"brackets", BOMB_MANIFEST, "", BOMB_REPEATED, "[", NULL, ""},
	{"braces", BOMB_MANIFEST, "", BOMB_REPEATED, "{a: ", NULL, ""},
	{"dashes", BOMB_MANIFEST, "", BOMB_REPEATED, "- ", NULL, ""},
	{"question marks", BOMB_MANIFEST, "", BOMB_REPEATED, "? ", NULL, ""},
	/* nine levels of ten aliases, and then as many lines of them as there is room for */
	{"aliases of aliases", BOMB_MANIFEST,
	 MANIFEST "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" LEVEL(a1, a0) LEVEL(a2, a1)
		 LEVEL(a3, a2) LEVEL(a4, a3) LEVEL(a5, a4) LEVEL(a6, a5) LEVEL(a7, a6) LEVEL(a8, a7)
			 LEVEL(a9, a8),
	 BOMB_NUMBERED, "b", ": *a9\n", ""},
	{"aliases of one text", BOMB_MANIFEST, MANIFEST "a: &a x\nemails: [", BOMB_REPEATED, "*a ,",
	 NULL, ""},
	{"plain text", BOMB_MANIFEST, MANIFEST "keys: [", BOMB_FILLED, NULL, NULL, "]\n"},
	{"quoted text", BOMB_MANIFEST, MANIFEST "keys: [\"", BOMB_FILLED, NULL, NULL, "\"]\n"},
	{"lines of a text", BOMB_MANIFEST, MANIFEST "keys: |\n", BOMB_REPEATED, "  x\n", NULL, ""},
	{"comment", BOMB_MANIFEST, MANIFEST "nmae: x # ", BOMB_FILLED, NULL, NULL, ""},
	{"keys", BOMB_MANIFEST, MANIFEST, BOMB_NUMBERED, "k", ":\n", ""},
	{"the same key", BOMB_MANIFEST, MANIFEST, BOMB_REPEATED, "k:\n", NULL, ""},
	{"documents", BOMB_MANIFEST, "", BOMB_REPEATED, "---\nkind: User\n", NULL, ""},
	{"empty documents", BOMB_MANIFEST, "", BOMB_REPEATED, "---\n", NULL, "a: ["},
	{"anchors", BOMB_MANIFEST, MANIFEST "emails: [", BOMB_NUMBERED, "&a", " x,", ""},
	{"key", BOMB_MANIFEST, MANIFEST "? ", BOMB_FILLED, NULL, NULL, "\n: x\n"},
	{"name of an anchor", BOMB_MANIFEST, MANIFEST "emails: &", BOMB_FILLED, NULL, NULL,
	 " []\nkeys: []\nnmae: x\n"},
	{"tag", BOMB_MANIFEST, MANIFEST "emails: !", BOMB_FILLED, NULL, NULL, " []\n"},
	{"unknown fields", BOMB_MANIFEST, MANIFEST, BOMB_NUMBERED, "nam", ": x\n", ""},
	{"wrong entries", BOMB_MANIFEST, MANIFEST "emails: [", BOMB_REPEATED, "[],", NULL, "]\n"},
	{"tags", BOMB_MANIFEST, MANIFEST "emails: [", BOMB_REPEATED, "!a x,", NULL, "]\n"},
	{"directives", BOMB_MANIFEST, "", BOMB_NUMBERED, "%TAG !a", "! tag:x\n", "---\n" MANIFEST},
	{"a bad byte at the end", BOMB_MANIFEST, MANIFEST "# ", BOMB_FILLED, NULL, NULL, "\xff"},
	{"compose: services", BOMB_COMPOSE, "services:\n", BOMB_NUMBERED, "  s", ": {image: a}\n",
	 ""},
	{"compose: an image without an end", BOMB_COMPOSE, COMPOSE_IMAGE "\"", BOMB_FILLED, NULL,
	 NULL, "\"}}\n"},
	{"compose: variables", BOMB_COMPOSE, COMPOSE_IMAGE "a, command: [", BOMB_REPEATED,
	 "\"$A\", ", NULL, "]}}\n"},
	{"compose: variables within variables", BOMB_COMPOSE, COMPOSE_IMAGE "\"", BOMB_REPEATED,
	 "${A:-", NULL, "\"}}\n"},
	{"compose: unset variables", BOMB_COMPOSE, COMPOSE_IMAGE "a, command: [", BOMB_NUMBERED,
	 "$A", ", ", "]}}\n"},
	{"compose: variables that grow", BOMB_COMPOSE, COMPOSE_IMAGE "a, command: [", BOMB_REPEATED,
	 "$GROWN, ", NULL, "]}}\n"},
	{"compose: ranges of ports", BOMB_COMPOSE, COMPOSE_IMAGE "a, ports: [", BOMB_REPEATED,
	 "\"1-65535:1-65535\", ", NULL, "]}}\n"},
	{"compose: merges", BOMB_COMPOSE, "x-a: &a {image: a}\nservices: {a: {<<: [", BOMB_REPEATED,
	 "*a, ", NULL, "]}}\n"},
	{"compose: includes", BOMB_COMPOSE, "include: [", BOMB_REPEATED, "compose.yaml, ", NULL,
	 "]\n"},
	{"compose: extends", BOMB_COMPOSE,
	 "services:\n  a: {image: a, command: [a, b, c, d, e, f]}\n", BOMB_NUMBERED, "  s",
	 ": {extends: a}\n", ""},
	{"compose: environment", BOMB_COMPOSE, COMPOSE_IMAGE "a, environment: [", BOMB_NUMBERED,
	 "K", "=v, ", "]}}\n"},
	{"compose: mounts", BOMB_COMPOSE, COMPOSE_IMAGE "a, volumes: [", BOMB_NUMBERED,
	 "\"./compose.yaml:/", "\", ", "]}}\n"},
	{"compose: a command to split", BOMB_COMPOSE, COMPOSE_IMAGE "a, command: \"", BOMB_REPEATED,
	 "a ", NULL, "\"}}\n"},
	{"env: names", BOMB_ENV, "", BOMB_NUMBERED, "A", "=x\n", ""},
	{"env: a value without an end", BOMB_ENV, "A='", BOMB_FILLED, NULL, NULL, ""},
	{"env: values of values", BOMB_ENV, "A=xxxxxxxx\n", BOMB_REPEATED, "A=$A$A\n", NULL, ""},
};
const size_t bombs_n = ARRAY_LEN(bombs);

/* As long as a manifest may be, with room for what comes behind, and for the files beside it. */
static size_t room(const struct buf *out)
{
	return out->len + 1024 < DOC_BYTES_MAX ? DOC_BYTES_MAX - 1024 - out->len : 0;
}

static void fill(size_t len, struct buf *out)
{
	char *text = mem_alloc(len);

	memset(text, 'x', len);
	buf_add(out, text, len);
	free(text);
}

void bomb_make(const struct bomb *bomb, bool whole, struct buf *out)
{
	buf_adds(out, bomb->before);
	if (bomb->filler == BOMB_FILLED)
		fill(whole ? (size_t)100 << 20 : room(out), out);
	for (int i = 0; bomb->filler != BOMB_FILLED && i < MILLION && (whole || room(out)); i++) {
		buf_adds(out, bomb->text);
		if (bomb->filler == BOMB_NUMBERED)
			buf_addf(out, "%d%s", i, bomb->text_after);
	}
	buf_adds(out, bomb->after);
}

/* A folder of a Compose file and its .env; like the loader it has no bytes of what is too large. */
static struct file *decode_folder(const struct compose_file *env,
				  const struct compose_file *compose)
{
	static const char folder[] = "projects/p/stages/s/a";
	static const struct oid tree;
	struct compose_file files[] = {*env, *compose};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (files[i].size > DOC_BYTES_MAX)
			files[i].bytes = NULL;
	}
	return compose_decode("projects/p/stages/s/a/compose.yaml", &tree,
			      &(struct compose_folder){folder, files, ARRAY_LEN(files)});
}

struct file *bomb_decode(const struct bomb *bomb, const struct buf *text)
{
	static const struct oid blob;
	static const char grown[] =
		"A=xxxxxxxxxxxxxxxx\nB=$A$A$A$A$A$A$A$A\nGROWN=$B$B$B$B$B$B$B$B\n",
			  small[] = "services: {a: {image: \"$A\"}}\n";
	const struct compose_file made = {.name = bomb->place == BOMB_ENV ? ".env" : "compose.yaml",
					  .bytes = buf_str(text),
					  .size = text->len};

	if (bomb->place == BOMB_COMPOSE)
		return decode_folder(&(struct compose_file){".env", grown, sizeof grown - 1, false},
				     &made);
	if (bomb->place == BOMB_ENV)
		return decode_folder(&made, &(struct compose_file){"compose.yaml", small,
								   sizeof small - 1, false});
	return file_decode("users/a.yaml", &blob, buf_str(text), text->len);
}
