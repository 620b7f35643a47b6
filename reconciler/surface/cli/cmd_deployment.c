#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "surface/cli/view.h"

static void put_records(struct cli *cli, const struct ledger_view *view)
{
	AUTO_BUF struct buf rows = BUF_INIT(BUF_MAX_OUTPUT);
	buf_adds(&rows, "ID\tDEPLOYMENT\tVERSION\tNODE\tSTATUS\tFINISHED\tCOMMIT\n");
	for (size_t i = 0; i < view->records_n; i++) {
		const struct record *record = &view->records[i];
		char name[256], time[CLOCK_TEXT_MAX];
		if (!view_matches(cli, &record->slot))
			continue;
		buf_addf(&rows, "%lld\t%s\t%s\t%s\t%s%s\t%s\t%.8s\n", (long long)record->id,
			 view_slot_name(&record->slot, name),
			 record->version ? record->version : "-", record->slot.node,
			 record_status_word(record->status), record->active ? " *" : "",
			 view_ago(record->finished_ms, time),
			 record->commit ? record->commit : "-");
	}
	cli_table(cli, buf_str(&rows));
}

int cmd_deployment(struct cli *cli)
{
	struct ledger_view *view = NULL;
	int code = EXIT_DONE;
	if (view_open(cli, VIEW_RECORDS, &view, &code) < 0)
		return code;
	if (cli->json) {
		json_t *list = json_array();
		for (size_t i = 0; i < view->records_n; i++)
			if (view_matches(cli, &view->records[i].slot))
				json_array_append_new(list, view_record_json(&view->records[i]));
		cli_put_json(cli, json_pack("{s:o}", "deployments", list));
	} else if (view->records_n == 0) {
		buf_adds(&cli->out, "Nothing was ever deployed.\n");
	} else {
		put_records(cli, view);
	}
	ledger_view_close(&view);
	return EXIT_DONE;
}
