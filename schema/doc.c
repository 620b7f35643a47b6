#include "base/sys.h"
#include "schema/doc.h"

#include <yaml.h>

#include "base/map.h"
#include "base/utf8.h"
#include "base/vec.h"
#include "schema/doc_memory.h"
#include "schema/doc_syntax.h"
#include "schema/doc_text.h"

/* What an alias stands for, and what it costs to write it out. */
struct anchor {
	struct doc_node *node;
	size_t nodes, aliases;
	bool open; /* its own end has not come yet */
};

/* A sequence or mapping that has begun. */
struct frame {
	struct doc_node *node;
	struct anchor *anchor;
	size_t first;	       /* of its children in reader.pending */
	size_t nodes, aliases; /* counted before it began */
};

#define PENDING_FIRST 64 /* enough for most manifests */

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	const struct doc_source *source;
	const char *bytes; /* without a byte order mark */
	size_t len;
	VEC(struct doc_node *) pending; /* complete nodes whose parent is not */
	struct frame *frames;		/* DOC_DEPTH_MAX of them, the first `depth` in use */
	size_t depth, nodes, aliases, documents;
	struct map anchors; /* name -> struct anchor */
};

static struct diag *report(struct reader *reader, enum diag_code code, struct loc at,
			   const char *text)
{
	return source_error(reader->source, code, at, "%s", text);
}

static struct loc loc_of(const yaml_event_t *event)
{
	const yaml_mark_t *start = &event->start_mark, *end = &event->end_mark;
	struct loc at = {(uint32_t)start->line + 1, (uint32_t)start->column + 1, 1};

	if (end->line == start->line && end->column > start->column)
		at.width = (uint32_t)(end->column - start->column);
	return at;
}

/* ---- tags ---- */

#define CORE "tag:yaml.org,2002:"

/* Is the tag one of the core ones that fit a node of this type? */
static bool tag_fits(const char *tag, enum doc_type type)
{
	static const char *const scalars[] = {"str", "null", "bool", "int", "float"};

	if (str_eq(tag, "!"))
		return true;
	if (!str_starts(tag, CORE))
		return false;
	tag += strlen(CORE);
	if (type == DOC_SEQUENCE)
		return str_eq(tag, "seq");
	if (type == DOC_MAPPING)
		return str_eq(tag, "map");
	for (size_t i = 0; i < ARRAY_LEN(scalars); i++) {
		if (str_eq(tag, scalars[i]))
			return true;
	}
	return false;
}

static void report_tag(struct reader *reader, const char *name, struct doc_node *node)
{
	AUTO_FREE char *text = NULL;

	if (reader->source->compose && (str_eq(name, "!reset") || str_eq(name, "!override"))) {
		node->over = str_eq(name, "!reset") ? DOC_RESETS : DOC_OVERRIDES;
		return;
	}
	if (str_starts(name, CORE))
		text = mem_printf("the tag !!%.100s cannot stand here", name + strlen(CORE));
	else
		text = mem_printf("the tag %.100s is not known", name);
	report(reader, DIAG_YAML_TAG, node->at, text)->hint = "leave the tag out";
	node->wrong = true;
}

static void check_tag(struct reader *reader, const yaml_char_t *tag, struct doc_node *node)
{
	const char *name = (const char *)tag;

	if (name && !tag_fits(name, node->type))
		report_tag(reader, name, node);
}

/* A plain scalar without a tag, or with one that asks for more than a text. */
static bool reads_as_plain(const yaml_event_t *event)
{
	const char *tag = (const char *)event->data.scalar.tag;

	if (!tag)
		return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return str_starts(tag, CORE) && !str_eq(tag, CORE "str");
}

/* ---- nodes; each function returns 0, or -1 when the rest of the file is not worth reading ---- */

static int over_limit(struct reader *reader, struct loc at, const char *text)
{
	report(reader, DIAG_LIMIT, at, text);
	return -1;
}

static int count_nodes(struct reader *reader, struct loc at, size_t nodes, size_t aliases)
{
	reader->nodes += nodes;
	reader->aliases += aliases;
	if (reader->nodes > DOC_NODES_MAX)
		return over_limit(reader, at, "more than 100,000 values in one document");
	if (reader->anchors.count > DOC_ANCHORS_MAX)
		return over_limit(reader, at, "more than 10,000 anchors in one document");
	if (reader->aliases > DOC_ALIASES_MAX)
		return over_limit(reader, at, "aliases stand for more than 1,000 copies");
	return 0;
}

static struct doc_node *new_node(struct reader *reader, enum doc_type type,
				 const yaml_event_t *event)
{
	struct doc_node *node = ARENA_NEW(reader->arena, struct doc_node);

	node->type = type;
	node->at = loc_of(event);
	node->file = reader->source->file;
	return node;
}

static struct anchor *new_anchor(struct reader *reader, const yaml_char_t *name,
				 struct doc_node *node)
{
	struct anchor *anchor;

	if (!name || reader->anchors.count > DOC_ANCHORS_MAX)
		return NULL;
	anchor = ARENA_NEW(reader->arena, struct anchor);
	anchor->node = node;
	anchor->nodes = 1;
	anchor->open = node->type != DOC_SCALAR;
	map_put(&reader->anchors, (const char *)name, anchor);
	return anchor;
}

static int take_scalar(struct reader *reader, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	struct doc_node *node = new_node(reader, DOC_SCALAR, event);

	if (len > (reader->source->own ? DOC_BYTES_MAX : DOC_STRING_MAX))
		return over_limit(reader, node->at, "a text of more than 64 KiB");
	node->text = arena_strndup(reader->arena, text, len);
	node->n = strlen(node->text);
	if (node->n != len) {
		report(reader, DIAG_BAD_VALUE, node->at, "a text with a NUL character");
		node->wrong = true;
	}
	node->plain = reads_as_plain(event);
	check_tag(reader, event->data.scalar.tag, node);
	new_anchor(reader, event->data.scalar.anchor, node);
	VEC_PUSH(&reader->pending, node);
	return count_nodes(reader, node->at, 1, 0);
}

static int take_alias(struct reader *reader, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct anchor *anchor = map_get(&reader->anchors, name);
	struct loc at = loc_of(event);
	AUTO_FREE char *text = NULL;

	if (!anchor || anchor->open) {
		text = mem_printf(anchor ? "*%.100s stands inside what it stands for"
					 : "there is no anchor &%.100s before this alias",
				  name);
		report(reader, DIAG_YAML_ALIAS, at, text);
		return -1;
	}
	VEC_PUSH(&reader->pending, anchor->node);
	return count_nodes(reader, at, anchor->nodes, anchor->aliases + 1);
}

static int begin(struct reader *reader, enum doc_type type, const yaml_event_t *event)
{
	bool mapping = type == DOC_MAPPING;
	struct doc_node *node = new_node(reader, type, event);
	struct frame *frame;

	if (reader->depth == DOC_DEPTH_MAX)
		return over_limit(reader, node->at, "nested more than 64 deep");
	if (mapping)
		node->block = event->data.mapping_start.style != YAML_FLOW_MAPPING_STYLE;
	else
		node->block = event->data.sequence_start.style != YAML_FLOW_SEQUENCE_STYLE;
	check_tag(reader, mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag,
		  node);
	frame = &reader->frames[reader->depth++];
	frame->node = node;
	frame->first = reader->pending.n;
	frame->nodes = reader->nodes;
	frame->aliases = reader->aliases;
	frame->anchor = new_anchor(reader,
				   mapping ? event->data.mapping_start.anchor
					   : event->data.sequence_start.anchor,
				   node);
	return count_nodes(reader, node->at, 1, 0);
}

/* ---- mappings ---- */

static int pair_cmp(const void *left, const void *right)
{
	const struct doc_pair *const *a = left, *const *b = right;
	int order = strcmp((*a)->key->text, (*b)->key->text);

	return order ? order : (*a > *b) - (*a < *b);
}

static void report_duplicate(struct reader *reader, const struct doc_pair *first,
			     struct doc_pair *again)
{
	AUTO_FREE char *text = mem_printf("the key %.100s stands here twice", again->key->text);
	struct diag *diag = report(reader, DIAG_YAML_DUPLICATE_KEY, again->key->at, text);

	diag->hint = diags_text(reader->source->diags, "the first one is in line %u",
				(unsigned)first->key->at.line);
	again->key = NULL;
}

/* Up to this many pairs are compared each with each; more are sorted first. */
#define FEW 12

static void find_duplicates(struct reader *reader, struct doc_pair *pairs, size_t n)
{
	struct doc_pair **order, *first = NULL;

	if (n <= FEW) {
		for (size_t i = 1; i < n; i++) {
			for (size_t j = 0; j < i && pairs[i].key; j++) {
				if (pairs[j].key && str_eq(pairs[j].key->text, pairs[i].key->text))
					report_duplicate(reader, &pairs[j], &pairs[i]);
			}
		}
		return;
	}
	order = mem_realloc_array(NULL, n, sizeof(*order));
	for (size_t i = 0; i < n; i++)
		order[i] = &pairs[i];
	qsort(order, n, sizeof(*order), pair_cmp);
	for (size_t i = 0; i < n && !source_is_full(reader->source); i++) {
		if (first && strcmp(first->key->text, order[i]->key->text) == 0)
			report_duplicate(reader, first, order[i]);
		else
			first = order[i];
	}
	free(order);
}

static size_t keep_with_key(struct doc_pair *pairs, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (pairs[i].key)
			pairs[kept++] = pairs[i];
	}
	return kept;
}

/* "{{ name }}" without quotes is a mapping whose key is a mapping. */
static bool is_template(const struct doc_node *node, const struct doc_node *key)
{
	return !node->block && key->type == DOC_MAPPING && !key->block &&
	       key->at.line == node->at.line && key->at.column == node->at.column + 1;
}

static void report_key(struct reader *reader, struct doc_node *node, const struct doc_node *key)
{
	if (!is_template(node, key)) {
		report(reader, DIAG_WRONG_TYPE, key->at, "a key must be a text");
		return;
	}
	report(reader, DIAG_WRONG_TYPE, node->at, "braces without quotes are a mapping")->hint =
		"a {{ template }} stands in quotes";
	node->wrong = true;
}

/* Keys and values stand in turn in children. */
static void fill_mapping(struct reader *reader, struct doc_node *node,
			 struct doc_node *const *children, size_t n)
{
	struct doc_pair *pairs = ARENA_ARRAY(reader->arena, n / 2, struct doc_pair);

	for (size_t i = 0; i < n / 2; i++) {
		pairs[i] = (struct doc_pair){children[2 * i], children[2 * i + 1]};
		if (pairs[i].key->type == DOC_SCALAR)
			continue;
		report_key(reader, node, pairs[i].key);
		pairs[i].key = NULL;
	}
	n = keep_with_key(pairs, n / 2);
	find_duplicates(reader, pairs, n);
	node->n = keep_with_key(pairs, n);
	node->pairs = pairs;
	if (node->block && node->n)
		node->at.width = pairs[0].key->at.width;
}

static int end(struct reader *reader, const yaml_event_t *event)
{
	struct frame *frame = &reader->frames[--reader->depth];
	struct doc_node *node = frame->node;
	struct doc_node **children =
		frame->first ? reader->pending.v + frame->first : reader->pending.v;
	size_t n = reader->pending.n - frame->first;

	if (node->type == DOC_MAPPING) {
		fill_mapping(reader, node, children, n);
	} else {
		node->items = arena_memdup(reader->arena, children, n * sizeof(struct doc_node *));
		node->n = n;
	}
	if (!node->block && event->end_mark.line + 1 == node->at.line)
		node->at.width = (uint32_t)event->end_mark.column + 1 - node->at.column;
	if (frame->anchor) {
		frame->anchor->open = false;
		frame->anchor->nodes = reader->nodes - frame->nodes;
		frame->anchor->aliases = reader->aliases - frame->aliases;
	}
	reader->pending.n = frame->first;
	VEC_PUSH(&reader->pending, node);
	return 0;
}

/* ---- the stream ---- */

static void forget_document(struct reader *reader)
{
	VEC_CLEAR(&reader->pending);
	reader->depth = reader->nodes = reader->aliases = 0;
	if (reader->anchors.count)
		map_release(&reader->anchors);
}

/* A file with so many problems is no manifest: whoever mends it needs no more of them. */
static int count_problems(struct reader *reader, struct loc at)
{
	if (!source_is_full(reader->source))
		return 0;
	return over_limit(reader, at, "more than 1,000 problems: the rest of the file is not read");
}

static int finish_document(struct reader *reader, doc_use *use, void *arg)
{
	const struct doc_node *root = reader->pending.n ? reader->pending.v[0] : NULL;
	struct loc at = {0, 0, 0};

	if (root && !doc_is_null(root)) {
		at = root->at;
		use(arg, root);
	}
	forget_document(reader);
	if (++reader->documents > DOC_DOCUMENTS_MAX)
		return over_limit(reader, at, "more than 50,000 documents in one file");
	return count_problems(reader, at);
}

static int take_event(struct reader *reader, const yaml_event_t *event, doc_use *use, void *arg)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return take_scalar(reader, event);
	case YAML_ALIAS_EVENT:
		return take_alias(reader, event);
	case YAML_SEQUENCE_START_EVENT:
		return begin(reader, DOC_SEQUENCE, event);
	case YAML_MAPPING_START_EVENT:
		return begin(reader, DOC_MAPPING, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return end(reader, event);
	case YAML_DOCUMENT_END_EVENT:
		return finish_document(reader, use, arg);
	case YAML_STREAM_END_EVENT:
		return 1;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_START_EVENT:
		break;
	}
	return 0;
}

static struct doc_mark mark_of(const yaml_mark_t *mark)
{
	return (struct doc_mark){mark->line, mark->column};
}

/* A character that YAML does not know, however it is written down. */
static void report_character(struct reader *reader)
{
	size_t offset = reader->parser.problem_offset;
	unsigned value = (unsigned)reader->parser.problem_value;
	struct diag *diag = source_error(
		reader->source, DIAG_YAML_SYNTAX,
		doc_text_place(reader->bytes, offset < reader->len ? offset : reader->len),
		"the character U+%04X cannot stand in YAML", value);

	if (value && value < 0x100)
		diag->hint = diags_text(reader->source->diags,
					"in double quotes it is written \\x%02x", value);
}

static void report_fault(struct reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const struct doc_fault fault = {
		.problem = parser->problem,
		.context = parser->context,
		.at = mark_of(&parser->problem_mark),
		.context_at = mark_of(&parser->context_mark),
		.bytes = reader->bytes,
		.len = reader->len,
	};

	if (parser->error == YAML_READER_ERROR)
		report_character(reader);
	else
		doc_report_syntax(reader->source, &fault);
}

static void read_events(struct reader *reader, doc_use *use, void *arg)
{
	yaml_event_t event;
	int result = 0;

	while (result == 0) {
		if (!yaml_parser_parse(&reader->parser, &event)) {
			if (reader->parser.error == YAML_MEMORY_ERROR)
				mem_exhausted();
			report_fault(reader);
			return;
		}
		result = take_event(reader, &event, use, arg);
		if (result == 0 && source_is_full(reader->source))
			result = count_problems(reader, loc_of(&event));
		yaml_event_delete(&event);
	}
}

void doc_parse(struct arena *arena, const char *bytes, size_t len, const struct doc_source *source,
	       doc_use *use, void *arg)
{
	struct frame frames[DOC_DEPTH_MAX];
	struct reader reader = {
		.arena = arena, .source = source, .bytes = bytes, .len = len, .frames = frames};

	if (!doc_text_check(bytes, len, source))
		return;
	if (len >= 3 && memcmp(bytes, BYTE_ORDER_MARK, 3) == 0) {
		reader.bytes += 3;
		reader.len -= 3;
	}
	doc_memory_begin();
	if (!yaml_parser_initialize(&reader.parser))
		mem_exhausted();
	doc_memory_check();
	reader.pending.cap = PENDING_FIRST;
	reader.pending.v = mem_realloc_array(NULL, PENDING_FIRST, sizeof *reader.pending.v);
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader.parser, (const unsigned char *)reader.bytes,
				     reader.len);
	read_events(&reader, use, arg);
	forget_document(&reader);
	VEC_FREE(&reader.pending);
	yaml_parser_delete(&reader.parser);
	doc_memory_end();
}
