#include "base/sys.h"
#include "drivers/driver.h"

#include "base/json.h"
#include "drivers/fault.h"
#include "drivers/trace.h"
#include "schema/canon.h"
#include "schema/kinds.h"

/* How to add a driver: its file, a row here, a row in tests/unit/test_driver_contract.c. */
static const struct driver_ops *const drivers[driver_end_] = {
	[DRIVER_DOCKER] = &driver_docker,
	[DRIVER_HOST] = &driver_host,
	[DRIVER_MEMORY] = &driver_memory,
};

const struct driver_ops *driver_find(enum driver_value kind)
{
	return kind > driver_none_ && kind < driver_end_ ? drivers[kind] : NULL;
}

/* ---- opening ---- */

/*
 * Trace is inside, so that it shows what reached the node; fault is outside, so that a call it
 * swallows leaves no line. Only builds for tests look at the environment: in any other, whoever can
 * set it could make the reconciler write files or kill itself.
 */
#ifdef TRUEUP_FAULTS
static int wrap_for_tests(const struct node *node, struct driver **driver, struct err *err)
{
	const char *trace = getenv("TRUEUP_TRACE"), *fault = getenv("TRUEUP_FAULT");

	if (trace && *trace && trace_wrap_file(driver, node->name, trace, err) != 0)
		return -1;
	if (fault && *fault && fault_wrap_text(driver, fault, err) != 0)
		return -1;
	return 0;
}
#else
static int wrap_for_tests(const struct node *node, struct driver **driver, struct err *err)
{
	(void)node, (void)driver, (void)err;
	return 0;
}
#endif

int driver_open(const struct node *node, const struct driver_env *env, struct driver **out,
		struct err *err)
{
	const struct driver_ops *ops = driver_find((enum driver_value)node->driver);

	*out = NULL;
	if (!ops)
		return err_set(err, E_NOT_SUPPORTED, "node %s: this build has no driver %s",
			       node->name, enum_word(enum_type_find("driver"), node->driver));
	if (ops->open(node, env, out, err) != 0)
		return err_wrap(err, "node %s", node->name);
	if (wrap_for_tests(node, out, err) != 0) {
		driver_close(out);
		return -1;
	}
	return 0;
}

void driver_close(struct driver **driver)
{
	if (*driver)
		(*driver)->ops->close(*driver);
	*driver = NULL;
}

/* ---- changes in place ---- */

/* True when the field at the head of a dotted path can change while the container runs. */
static bool is_live(const struct driver_ops *ops, const char *path)
{
	AUTO_FREE char *key = mem_strndup(path, strcspn(path, "."));
	const struct field_type_row *row = object_field(&type_container, key);

	return row && (ops->live_fields >> field_number(&type_container, row) & 1);
}

int driver_check_update(const struct driver_ops *ops, const char *digest,
			const struct container *config, const struct spec *spec, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	struct field_diffs diffs;

	if (!str_eq(digest, spec->digest))
		return err_set(err, E_NOT_SUPPORTED, "the image of a container cannot be changed");
	if (!config)
		return err_set(err, E_NOT_SUPPORTED, "the container's configuration is unreadable");
	diffs = canon_diff(arena, config, spec->config, CANON_ALL);
	for (size_t i = 0; i < diffs.n; i++) {
		/* scale says how many there are, not what one is */
		if (!is_live(ops, diffs.v[i].field) && !str_eq(diffs.v[i].field, "scale"))
			return err_set(err, E_NOT_SUPPORTED,
				       "%s of a container cannot be changed in place",
				       diffs.v[i].field);
	}
	return 0;
}

/* ---- changes as data ---- */

enum op_needs { NEEDS_NAME = 1, NEEDS_TO = 2, NEEDS_SPEC = 4 };

static const struct {
	const char *word;
	unsigned needs;
} op_kinds[OPS_COUNT] = {
	[OP_CLAIM] = {"claim", 0},
	[OP_PULL] = {"pull", NEEDS_SPEC},
	[OP_CREATE] = {"create", NEEDS_NAME | NEEDS_SPEC},
	[OP_START] = {"start", NEEDS_NAME},
	[OP_STOP] = {"stop", NEEDS_NAME},
	[OP_ALIAS] = {"alias", NEEDS_NAME | NEEDS_TO},
	[OP_REMOVE] = {"remove", NEEDS_NAME},
	[OP_RENAME] = {"rename", NEEDS_NAME | NEEDS_TO},
	[OP_UPDATE] = {"update", NEEDS_NAME | NEEDS_SPEC},
	[OP_VOLUME_REMOVE] = {"volume-remove", NEEDS_NAME},
	[OP_IMAGE_REMOVE] = {"image-remove", NEEDS_NAME},
};

const char *op_word(enum op_kind kind)
{
	return op_kinds[kind].word;
}

enum op_kind op_find(const char *word)
{
	for (enum op_kind kind = OP_CLAIM; kind < OPS_COUNT; kind++) {
		if (str_eq(op_kinds[kind].word, word))
			return kind;
	}
	return 0;
}

json_t *op_json(const struct op *op)
{
	json_t *json = json_object();

	json_put_str(json, "op", op_word(op->kind));
	if (op->name)
		json_put_str(json, "name", op->name);
	if (op->to)
		json_put_str(json, "to", op->to);
	if (op->spec)
		json_object_set_new(json, "spec", spec_json(op->spec));
	return json;
}

static int read_spec(const json_t *json, struct arena *arena, const struct spec **out,
		     struct err *err)
{
	struct spec *spec;

	if (!json)
		return 0;
	spec = ARENA_NEW(arena, struct spec);
	*out = spec;
	return spec_from_json(json, arena, spec, err);
}

int op_from_json(const json_t *json, struct arena *arena, struct op *out, struct err *err)
{
	const char *word = json_str(json, "op", NULL);
	unsigned needs;

	*out = (struct op){.kind = op_find(word)};
	if (!out->kind)
		return err_set(err, E_BAD_INPUT, "no such change: %s", word ? word : "(none)");
	out->name = arena_strdup(arena, json_str(json, "name", NULL));
	out->to = arena_strdup(arena, json_str(json, "to", NULL));
	if (read_spec(json_object_get(json, "spec"), arena, &out->spec, err) != 0)
		return err_wrap(err, "%s", word);
	needs = op_kinds[out->kind].needs;
	if ((needs & NEEDS_NAME && !out->name) || (needs & NEEDS_TO && !out->to) ||
	    (needs & NEEDS_SPEC && !out->spec))
		return err_set(err, E_BAD_INPUT, "%s: name, to or spec is missing", word);
	return 0;
}

/* ---- the end of a log ---- */

static int add_line(void *arg, const struct log_line *line)
{
	struct buf *out = arg;

	buf_add(out, line->text, line->len);
	buf_addc(out, '\n');
	return 0;
}

int driver_tail(struct driver *driver, const char *name, int n, struct buf *out, struct err *err)
{
	const struct log_request request = {.name = name, .lines = n, .take = add_line, .arg = out};

	return driver->ops->logs(driver, &request, err);
}

/* ---- how far a pull is ---- */

json_t *op_progress_json(const struct op_progress *progress)
{
	return json_pack("{s:i,s:i,s:I,s:I}", "layers", progress->layers, "layersDone",
			 progress->layers_done, "bytes", (json_int_t)progress->bytes, "total",
			 (json_int_t)progress->total);
}

struct op_progress op_progress_from_json(const json_t *json)
{
	return (struct op_progress){.layers = (int)json_int(json, "layers", 0),
				    .layers_done = (int)json_int(json, "layersDone", 0),
				    .bytes = json_int(json, "bytes", 0),
				    .total = json_int(json, "total", 0)};
}

void op_progress_words(const struct op_progress *progress, struct buf *out)
{
	const double mib = 1 << 20;

	if (!progress->layers)
		return;
	if (progress->total)
		buf_addf(out, "%.1f of %.1f MiB, ", (double)progress->bytes / mib,
			 (double)progress->total / mib);
	if (progress->layers_done < progress->layers)
		buf_addf(out, "layer %d of %d", progress->layers_done + 1, progress->layers);
	else
		buf_addf(out, "all %d layers, unpacking", progress->layers);
}
