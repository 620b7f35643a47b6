#include "base/sys.h"
#include "tests/support/bombs.h"

#include "schema/doc.h"

#define MILLION 1000000
#define MANIFEST "kind: User\nname: ann\n"

#define TEN(text) text text text text text text text text text text
#define LEVEL(name, below) #name ": &" #name " [" TEN("*" #below " ,") "]\n"

const struct bomb bombs[] = {
	{"brackets", "", BOMB_REPEATED, "[", NULL, ""},
	{"braces", "", BOMB_REPEATED, "{a: ", NULL, ""},
	{"dashes", "", BOMB_REPEATED, "- ", NULL, ""},
	{"question marks", "", BOMB_REPEATED, "? ", NULL, ""},
	/* nine levels of ten aliases, and then as many lines of them as there is room for */
	{"aliases of aliases",
	 MANIFEST "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" LEVEL(a1, a0) LEVEL(a2, a1)
		 LEVEL(a3, a2) LEVEL(a4, a3) LEVEL(a5, a4) LEVEL(a6, a5) LEVEL(a7, a6) LEVEL(a8, a7)
			 LEVEL(a9, a8),
	 BOMB_NUMBERED, "b", ": *a9\n", ""},
	{"aliases of one text", MANIFEST "a: &a x\nemails: [", BOMB_REPEATED, "*a ,", NULL, ""},
	{"plain text", MANIFEST "keys: [", BOMB_FILLED, NULL, NULL, "]\n"},
	{"quoted text", MANIFEST "keys: [\"", BOMB_FILLED, NULL, NULL, "\"]\n"},
	{"lines of a text", MANIFEST "keys: |\n", BOMB_REPEATED, "  x\n", NULL, ""},
	{"comment", MANIFEST "nmae: x # ", BOMB_FILLED, NULL, NULL, ""},
	{"keys", MANIFEST, BOMB_NUMBERED, "k", ":\n", ""},
	{"the same key", MANIFEST, BOMB_REPEATED, "k:\n", NULL, ""},
	{"documents", "", BOMB_REPEATED, "---\nkind: User\n", NULL, ""},
	{"empty documents", "", BOMB_REPEATED, "---\n", NULL, "a: ["},
	{"anchors", MANIFEST "emails: [", BOMB_NUMBERED, "&a", " x,", ""},
	{"key", MANIFEST "? ", BOMB_FILLED, NULL, NULL, "\n: x\n"},
	{"name of an anchor", MANIFEST "emails: &", BOMB_FILLED, NULL, NULL,
	 " []\nkeys: []\nnmae: x\n"},
	{"tag", MANIFEST "emails: !", BOMB_FILLED, NULL, NULL, " []\n"},
	{"unknown fields", MANIFEST, BOMB_NUMBERED, "nam", ": x\n", ""},
	{"wrong entries", MANIFEST "emails: [", BOMB_REPEATED, "[],", NULL, "]\n"},
	{"tags", MANIFEST "emails: [", BOMB_REPEATED, "!a x,", NULL, "]\n"},
	{"directives", "", BOMB_NUMBERED, "%TAG !a", "! tag:x\n", "---\n" MANIFEST},
	{"a bad byte at the end", MANIFEST "# ", BOMB_FILLED, NULL, NULL, "\xff"},
};
const size_t bombs_n = ARRAY_LEN(bombs);

/* As long as a manifest may be, with room for what comes behind. */
static size_t room(const struct buf *out)
{
	return out->len + 64 < DOC_BYTES_MAX ? DOC_BYTES_MAX - 64 - out->len : 0;
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
