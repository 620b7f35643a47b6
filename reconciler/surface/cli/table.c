#include "base/sys.h"

#include "base/utf8.h"
#include "surface/cli/cli.h"

#define COLUMNS_MAX 16
#define GAP 2

/* Calls use for each cell: row, column, text. Cells end with \t or \n. */
static void
each_cell(const char *rows,
	  void (*use)(void *arg, size_t column, const char *text, size_t len, bool last), void *arg)
{
	size_t column = 0;
	while (*rows) {
		size_t len = strcspn(rows, "\t\n");
		bool last = rows[len] != '\t';
		if (column < COLUMNS_MAX)
			use(arg, column, rows, len, last);
		column = last ? 0 : column + 1;
		rows += len + (rows[len] != '\0');
	}
}

struct layout {
	size_t width[COLUMNS_MAX];
	size_t limit; /* columns of the page; 0: none */
	size_t used;  /* in the row at hand */
	struct buf *out;
};

/* The last column may be as long as it likes. */
static void measure(void *arg, size_t column, const char *text, size_t len, bool last)
{
	struct layout *layout = arg;
	size_t width = utf8_count(text, len);
	if (!last && width > layout->width[column])
		layout->width[column] = width;
}

static void end_line(struct layout *layout)
{
	while (layout->out->len && layout->out->ptr[layout->out->len - 1] == ' ')
		layout->out->ptr[--layout->out->len] = '\0';
	buf_addc(layout->out, '\n');
	layout->used = 0;
}

static void draw(void *arg, size_t column, const char *text, size_t len, bool last)
{
	struct layout *layout = arg;
	size_t width = utf8_count(text, len);
	if (last && column && len && layout->limit && layout->used + width > layout->limit) {
		end_line(layout);
		buf_adds(layout->out, "    ");
	}
	buf_add_clean(layout->out, text, len);
	layout->used += width;
	for (size_t pad = width; !last && pad < layout->width[column] + GAP; pad++) {
		buf_addc(layout->out, ' ');
		layout->used++;
	}
	if (last)
		end_line(layout);
}

void cli_table(struct cli *cli, const char *rows)
{
	struct layout layout = {.limit = cli->is_page ? cli->width : 0, .out = &cli->out};
	each_cell(rows, measure, &layout);
	each_cell(rows, draw, &layout);
}
