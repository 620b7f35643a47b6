#include "base/sys.h"
#include "schema/catalogue.h"

#include "base/buf.h"
#include "base/num.h"

#define HAS(option) (UINT64_C(1) << service_options_##option##_F)
#define SERVICE(type_, ...) {.type = (type_), __VA_ARGS__},
static const struct catalogue_row rows[] = {
#include "schema/catalogue.def"
};
#undef SERVICE
#undef HAS

const struct catalogue_row *catalogue_find(int type)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if ((int)rows[i].type == type)
			return &rows[i];
	}
	return NULL;
}

/* ---- words in braces ---- */

enum word { WORD_HOST, WORD_PORT, WORD_DATABASE, WORD_USER, WORDS };

static const char *const words[] = {
	[WORD_HOST] = "host",
	[WORD_PORT] = "port",
	[WORD_DATABASE] = "database",
	[WORD_USER] = "user",
};

/* The word that the text begins with, {host}; WORDS when it is none. */
static enum word word_at(const char *text)
{
	enum word word = 0;

	while (word < WORDS) {
		size_t len = strlen(words[word]);

		if (*text == '{' && str_starts(text + 1, words[word]) && text[1 + len] == '}')
			break;
		word++;
	}
	return word;
}

static int64_t port_of(const struct service *service)
{
	const struct service_options *options = service->options;
	const struct catalogue_row *row = catalogue_find(service->type);

	if (options && options->ports.n)
		return options->ports.v[0].container;
	return row ? row->port : 0;
}

/* A word that the type has no value for is an error of the file, and stands for nothing. */
static void add_option(struct buf *out, const char *said, const char *usual)
{
	if (said || usual)
		buf_adds(out, said ? said : usual);
}

/* The host's prefix is known with the slot only: a template stands for it until then. */
static void add_word(struct buf *out, enum word word, const struct service *service)
{
	const struct catalogue_row *row = catalogue_find(service->type);
	const struct service_options *options = service->options;

	switch (word) {
	case WORD_HOST:
		buf_addf(out, "{{ prefix }}-%s", service->name);
		break;
	case WORD_PORT:
		buf_addf(out, "%lld", (long long)port_of(service));
		break;
	case WORD_DATABASE:
		add_option(out, options ? options->database : NULL, row->database);
		break;
	case WORD_USER:
		add_option(out, options ? options->user : NULL, row->user);
		break;
	case WORDS:
		break;
	}
}

const char *catalogue_text(struct arena *arena, const char *text, const struct service *service)
{
	AUTO_BUF struct buf out = BUF_INIT(BUF_MAX_TEXT);

	while (*text) {
		enum word word = word_at(text);

		if (word == WORDS) {
			buf_addc(&out, *text++);
			continue;
		}
		add_word(&out, word, service);
		text += strlen(words[word]) + 2;
	}
	return arena_strdup(arena, buf_str(&out));
}

const char *catalogue_url(struct arena *arena, const struct service *service)
{
	const struct catalogue_row *row = catalogue_find(service->type);
	const char *url = row ? row->url : NULL;

	if (!url && service->options)
		url = service->options->url;
	return url ? catalogue_text(arena, url, service) : NULL;
}

const char *catalogue_unknown(struct arena *arena, const char *text)
{
	for (const char *at = strchr(text, '{'); at; at = strchr(at, '{')) {
		size_t len = strcspn(at, "}");
		enum word word = word_at(at);

		/* {{ template }} is looked at with all others, once the URL is in a container */
		if (at[1] == '{') {
			at += strspn(at, "{");
			continue;
		}
		if (word != WORD_HOST && word != WORD_PORT)
			return arena_strndup(arena, at, len + (at[len] == '}'));
		at += len;
	}
	return NULL;
}
