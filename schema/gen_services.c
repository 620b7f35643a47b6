#include "base/sys.h"
#include "schema/gen_words.h"

#include "schema/catalogue.h"

/* What the catalogue says of each type of service, for the reference page. */

static void put_code(const char *text, struct buf *out)
{
	buf_adds(out, " ");
	if (text)
		buf_addf(out, "`%s` ", text);
	buf_adds(out, "|");
}

static void put_image(const struct catalogue_row *row, struct buf *out)
{
	AUTO_FREE char *text = row->image ? mem_printf("%s:%s", row->image, row->version) : NULL;

	put_code(text, out);
}

static void put_port(const struct catalogue_row *row, struct buf *out)
{
	AUTO_FREE char *text = row->port ? mem_printf("%lld", (long long)row->port) : NULL;

	put_code(text, out);
}

static void put_env(const struct catalogue_row *row, struct buf *out)
{
	buf_adds(out, " ");
	for (size_t i = 0; i < CATALOGUE_WORDS && row->env[i][0]; i++)
		buf_addf(out, "%s`%s=%s`", i ? ", " : "", row->env[i][0], row->env[i][1]);
	buf_adds(out, " |");
}

static void put_words(const char *const *words, struct buf *out)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_LINE);

	for (size_t i = 0; i < CATALOGUE_WORDS && words[i]; i++)
		buf_addf(&text, "%s%s", i ? " " : "", words[i]);
	put_code(text.len ? buf_str(&text) : NULL, out);
}

void gen_services(struct buf *out)
{
	buf_adds(out,
		 "\n## Services\n\n"
		 "How each type is run, and what an app that links to it gets. `{host}` is the "
		 "container, `<project>-<stage>-<name>`; `{port}`, `{database}` and `{user}` are "
		 "as the options have them. Data is in a volume with the name of the service, "
		 "which stays when the service is removed. No port of a node is opened.\n\n"
		 "This build carries out no secrets: a database without a password trusts whoever "
		 "reaches it, which is who is in the stage's own network, and the store knows its "
		 "image's own keys.\n\n"
		 "| type | image | port | data | environment | arguments | health | URL |\n"
		 "|---|---|---|---|---|---|---|---|\n");
	for (int type = 1; type < service_type_end_; type++) {
		const struct catalogue_row *row = catalogue_find(type);

		buf_addf(out, "| `%s` |", ENUM_WORD(service_type, type));
		put_image(row, out);
		put_port(row, out);
		put_code(row->volume, out);
		put_env(row, out);
		put_words(row->args, out);
		put_words(row->check, out);
		put_code(row->url, out);
		buf_adds(out, "\n");
	}
	buf_adds(out,
		 "\nA `volume` runs nothing: apps mount it by `links`. Of `custom` the options "
		 "say all of this.\n");
}
