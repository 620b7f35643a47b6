#include "base/sys.h"

#include "base/json.h"
#include "base/map.h"
#include "surface/cli/view.h"

struct row {
	const struct record *newest;
	int serves;
	json_t *versions; /* those that serve, each once */
};

static void add_version(struct row *row, const struct record *record)
{
	size_t i;
	json_t *known;
	row->serves++;
	if (!record->version)
		return;
	json_array_foreach(row->versions, i,
			   known) if (str_eq(json_string_value(known), record->version)) return;
	json_array_append_new(row->versions, json_string(record->version));
}

static void gather(struct cli *cli, const struct ledger_view *view, struct map *rows)
{
	for (size_t i = 0; i < view->records_n; i++) {
		const struct record *record = &view->records[i];
		if (!view_matches(cli, &record->slot))
			continue;
		AUTO_FREE char *key = mem_printf("%s/%s", record->slot.project, record->product);
		struct row *row = map_get(rows, key);
		if (!row) {
			row = mem_zalloc(1, sizeof *row);
			row->versions = json_array();
			map_put(rows, key, row);
		}
		row->newest = record;
		if (record->active)
			add_version(row, record);
	}
}

static void free_row(void *value)
{
	struct row *row = value;
	json_decref(row->versions);
	free(row);
}

static void put_rows(struct cli *cli, const struct map *rows)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);
	buf_adds(&text, "PRODUCT\tTYPE\tSERVES ON\tVERSIONS THAT SERVE\n");
	for (struct map_entry *e = NULL; (e = map_next(rows, e));) {
		const struct row *row = e->value;
		size_t i;
		json_t *version;
		buf_addf(&text, "%s\t%s\t%d\t%s", e->key,
			 row->newest->version ? "complex" : "simple", row->serves,
			 json_array_size(row->versions) ? "" : "-");
		json_array_foreach(row->versions, i, version)
			buf_addf(&text, "%s%s", i ? " " : "", json_string_value(version));
		buf_addc(&text, '\n');
	}
	cli_table(cli, buf_str(&text));
}

static json_t *rows_json(const struct map *rows)
{
	json_t *list = json_array();
	for (struct map_entry *e = NULL; (e = map_next(rows, e));) {
		const struct row *row = e->value;
		json_t *json = json_object();
		json_put_str(json, "project", row->newest->slot.project);
		json_put_str(json, "name", row->newest->product);
		json_put_str(json, "type", row->newest->version ? "complex" : "simple");
		json_object_set_new(json, "serves", json_integer(row->serves));
		json_object_set(json, "versions", row->versions);
		json_array_append_new(list, json);
	}
	return list;
}

int cmd_product(struct cli *cli)
{
	struct ledger_view *view = NULL;
	struct map rows = {0};
	int code = EXIT_DONE;
	if (view_open(cli, VIEW_RECORDS, &view, &code) < 0)
		return code;
	gather(cli, view, &rows);
	if (cli->json)
		cli_put_json(cli, rows_json(&rows));
	else if (rows.count)
		put_rows(cli, &rows);
	else
		buf_adds(&cli->out, "Nothing was ever deployed.\n");
	map_release_with(&rows, free_row);
	ledger_view_close(&view);
	return EXIT_DONE;
}
