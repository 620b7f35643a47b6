#include "base/sys.h"
#include "tests/support/bombs.h"

#include "schema/doc.h"

#define MILLION 1000000
#define MANIFEST "kind: User\nname: ann\n"

/* Up to so many times, as long as a manifest may be unless it is to be whole. */
static bool fits(const struct buf *out, bool whole)
{
	return whole || out->len + 64 < DOC_BYTES_MAX;
}

static void repeat(struct buf *out, const char *text, bool whole)
{
	for (int i = 0; i < MILLION && fits(out, whole); i++)
		buf_adds(out, text);
}

static void number(struct buf *out, const char *before, const char *after, bool whole)
{
	for (int i = 0; i < MILLION && fits(out, whole); i++)
		buf_addf(out, "%s%d%s", before, i, after);
}

static void fill(struct buf *out, bool whole)
{
	size_t len = whole ? (size_t)100 << 20 : DOC_BYTES_MAX - out->len - 64;
	char *text = mem_alloc(len);

	memset(text, 'x', len);
	buf_add(out, text, len);
	free(text);
}

static void brackets(struct buf *out, bool whole)
{
	repeat(out, "[", whole);
}

static void braces(struct buf *out, bool whole)
{
	repeat(out, "{a: ", whole);
}

static void dashes(struct buf *out, bool whole)
{
	repeat(out, "- ", whole);
}

static void questions(struct buf *out, bool whole)
{
	repeat(out, "? ", whole);
}

/* Nine levels of ten aliases, and then as many lines of them as there is room for. */
static void aliases(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 10; i++) {
		buf_addf(out, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			buf_addf(out, "*a%d ,", i - 1);
		buf_adds(out, "]\n");
	}
	number(out, "b", ": *a9\n", whole);
}

static void aliases_of_one(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST "a: &a x\nemails: [");
	repeat(out, "*a ,", whole);
}

static void plain_text(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST "keys: [");
	fill(out, whole);
	buf_adds(out, "]\n");
}

static void quoted_text(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST "keys: [\"");
	fill(out, whole);
	buf_adds(out, "\"]\n");
}

static void block_text(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST "keys: |\n");
	repeat(out, "  x\n", whole);
}

static void comment(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST "nmae: x # ");
	fill(out, whole);
}

static void keys(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST);
	number(out, "k", ":\n", whole);
}

static void same_keys(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST);
	repeat(out, "k:\n", whole);
}

static void documents(struct buf *out, bool whole)
{
	repeat(out, "---\nkind: User\n", whole);
}

static void empty_documents(struct buf *out, bool whole)
{
	repeat(out, "---\n", whole);
	buf_adds(out, "a: [");
}

static void anchors(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST "emails: [");
	number(out, "&a", " x,", whole);
}

static void long_key(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST "? ");
	fill(out, whole);
	buf_adds(out, "\n: x\n");
}

static void long_anchor(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST "emails: &");
	fill(out, whole);
	buf_adds(out, " []\nkeys: []\nnmae: x\n");
}

static void long_tag(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST "emails: !");
	fill(out, whole);
	buf_adds(out, " []\n");
}

static void unknown_fields(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST);
	number(out, "nam", ": x\n", whole);
}

static void wrong_entries(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST "emails: [");
	repeat(out, "[],", whole);
	buf_adds(out, "]\n");
}

static void tags(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST "emails: [");
	repeat(out, "!a x,", whole);
	buf_adds(out, "]\n");
}

static void directives(struct buf *out, bool whole)
{
	number(out, "%TAG !a", "! tag:x\n", whole);
	buf_adds(out, "---\n" MANIFEST);
}

static void bad_bytes(struct buf *out, bool whole)
{
	buf_adds(out, MANIFEST "# ");
	fill(out, whole);
	buf_adds(out, "\xff");
}

const struct bomb bombs[] = {
	{"brackets", brackets},
	{"braces", braces},
	{"dashes", dashes},
	{"question marks", questions},
	{"aliases of aliases", aliases},
	{"aliases of one text", aliases_of_one},
	{"plain text", plain_text},
	{"quoted text", quoted_text},
	{"lines of a text", block_text},
	{"comment", comment},
	{"keys", keys},
	{"the same key", same_keys},
	{"documents", documents},
	{"empty documents", empty_documents},
	{"anchors", anchors},
	{"key", long_key},
	{"name of an anchor", long_anchor},
	{"tag", long_tag},
	{"unknown fields", unknown_fields},
	{"wrong entries", wrong_entries},
	{"tags", tags},
	{"directives", directives},
	{"a bad byte at the end", bad_bytes},
};
const size_t bombs_n = ARRAY_LEN(bombs);
