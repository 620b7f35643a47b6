#include "base/sys.h"

#include "base/json.h"
#include "base/map.h"
#include "surface/cli/view.h"

/* One version of one product over all slots. */
struct row {
	const struct record *newest;
	int successful, others;
	bool frozen;
};

static void gather(struct cli *cli, const struct ledger_view *view, struct map *rows)
{
	for (size_t i = 0; i < view->records_n; i++) {
		const struct record *record = &view->records[i];
		if (!view_matches(cli, &record->slot))
			continue;
		AUTO_FREE char *key = mem_printf("%s/%s %s", record->slot.project, record->product,
						 record->version ? record->version : "-");
		struct row *row = map_get(rows, key);
		if (!row) {
			row = ARENA_NEW(cli->arena, struct row);
			map_put(rows, key, row);
		}
		row->newest = record;
		row->successful += record->active;
		row->others += !record->active;
		row->frozen |= record->succeeded && record->type == VERSION_INCREMENTAL;
	}
}

static json_t *row_json(const struct row *row)
{
	json_t *json = json_object();
	json_put_str(json, "project", row->newest->slot.project);
	json_put_str(json, "product", row->newest->product);
	json_put_str(json, "name", row->newest->version);
	json_put_str(json, "type",
		     row->newest->type == VERSION_INCREMENTAL ? "incremental" : "rolling");
	json_put_str(json, "parent", row->newest->parent);
	json_object_set_new(json, "frozen", json_boolean(row->frozen));
	json_object_set_new(json, "serves", json_integer(row->successful));
	json_object_set_new(json, "records", json_integer(row->successful + row->others));
	json_put_str(json, "newestStatus", record_status_word(row->newest->status));
	return json;
}

static void put_rows(struct cli *cli, const struct map *rows)
{
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_OUTPUT);
	buf_adds(&text, "PRODUCT\tVERSION\tTYPE\tPARENT\tSERVES ON\tNEWEST RECORD\n");
	for (struct map_entry *e = NULL; (e = map_next(rows, e));) {
		const struct row *row = e->value;
		buf_addf(&text, "%s/%s\t%s\t%s%s\t%s\t%d\t%s\n", row->newest->slot.project,
			 row->newest->product, row->newest->version ? row->newest->version : "-",
			 row->newest->type == VERSION_INCREMENTAL ? "incremental" : "rolling",
			 row->frozen ? ", frozen" : "",
			 row->newest->parent ? row->newest->parent : "-", row->successful,
			 record_status_word(row->newest->status));
	}
	cli_table(cli, buf_str(&text));
}

int cmd_version(struct cli *cli)
{
	struct ledger_view *view = NULL;
	AUTO_MAP struct map rows = {0};
	int code = EXIT_DONE;
	if (view_open(cli, VIEW_RECORDS, &view, &code) < 0)
		return code;
	gather(cli, view, &rows);
	if (cli->json) {
		json_t *list = json_array();
		for (struct map_entry *e = NULL; (e = map_next(&rows, e));)
			json_array_append_new(list, row_json(e->value));
		cli_put_json(cli, list);
	} else if (rows.count) {
		put_rows(cli, &rows);
	} else {
		buf_adds(&cli->out, "Nothing was ever deployed.\n");
	}
	ledger_view_close(&view);
	return EXIT_DONE;
}
