#include "base/sys.h"
#include "schema/pack.h"

#include "base/utf8.h"
#include "schema/derive.h"
#include "schema/documents.h"
#include "schema/fields.h"
#include "schema/forms.h"

/* ---- packing ---- */

static void put_object(struct buf *out, const struct object_type *type, const void *object);

#define NUMBER_MAX 10 /* bytes */

static char *write_number(char *bytes, uint64_t number)
{
	for (; number > 0x7f; number >>= 7)
		*bytes++ = (char)(0x80 | (number & 0x7f));
	*bytes++ = (char)number;
	return bytes;
}

static void put_number(struct buf *out, uint64_t number)
{
	char bytes[NUMBER_MAX];

	buf_add(out, bytes, (size_t)(write_number(bytes, number) - bytes));
}

/* The sign in the lowest bit, so that small numbers stay short. */
static void put_signed(struct buf *out, int64_t number)
{
	put_number(out, (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0));
}

static void put_text(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	put_number(out, len);
	buf_add(out, text, len);
}

static void put_place(struct buf *out, struct loc at)
{
	char bytes[3 * NUMBER_MAX], *end = write_number(bytes, at.line);

	end = write_number(end, at.column);
	end = write_number(end, at.width);
	buf_add(out, bytes, (size_t)(end - bytes));
}

static void put_strings(struct buf *out, const struct strings *strings)
{
	put_number(out, strings->n);
	for (size_t i = 0; i < strings->n; i++) {
		put_place(out, strings->at[i]);
		put_text(out, strings->v[i]);
	}
}

static void put_pairs(struct buf *out, const struct pairs *pairs)
{
	put_number(out, pairs->n);
	for (size_t i = 0; i < pairs->n; i++) {
		put_place(out, pairs->at[i]);
		put_text(out, pairs->key[i]);
		put_number(out, pairs->value[i] != NULL);
		if (pairs->value[i])
			put_text(out, pairs->value[i]);
	}
}

static void put_list(struct buf *out, const struct object_type *type, const void *slot)
{
	struct any_list list;

	memcpy(&list, slot, sizeof list);
	put_number(out, list.n);
	for (size_t i = 0; i < list.n; i++)
		put_object(out, type, (const char *)list.v + i * type->size);
}

static void put_objmap(struct buf *out, const struct object_type *type, const void *slot)
{
	struct any_map map;

	memcpy(&map, slot, sizeof map);
	put_number(out, map.n);
	for (size_t i = 0; i < map.n; i++) {
		put_place(out, map.at[i]);
		put_text(out, map.name[i]);
		put_object(out, type, (const char *)map.v + i * type->size);
	}
}

static void put_value(struct buf *out, const struct field_type_row *row, const void *slot)
{
	switch (row->type) {
	case TYPE_STRING:
	case TYPE_NAME:
		put_text(out, *(const char *const *)slot);
		break;
	case TYPE_BOOL:
		put_number(out, *(const bool *)slot);
		break;
	case TYPE_ENUM:
		put_number(out, (uint64_t) * (const int *)slot);
		break;
	case TYPE_INT:
	case TYPE_DURATION:
	case TYPE_SIZE:
	case TYPE_CPU:
		put_signed(out, *(const int64_t *)slot);
		break;
	case TYPE_STRINGS:
		put_strings(out, slot);
		break;
	case TYPE_MAP:
		put_pairs(out, slot);
		break;
	case TYPE_OBJECT:
		put_object(out, row->object, *(const void *const *)slot);
		break;
	case TYPE_LIST:
		put_list(out, row->object, slot);
		break;
	case TYPE_OBJMAP:
		put_objmap(out, row->object, slot);
		break;
	case TYPE_ANY: /* never set */
		break;
	}
}

static void put_object(struct buf *out, const struct object_type *type, const void *object)
{
	const struct head *head = object;

	put_number(out, head->set);
	put_number(out, head->null);
	for (uint64_t left = head->set; left; left &= left - 1) {
		unsigned field = (unsigned)__builtin_ctzll(left);

		put_place(out, head_at(head, field));
		put_value(out, &type->fields[field],
			  field_const_slot(object, &type->fields[field]));
	}
}

static void put_file(struct buf *out, const struct file *file)
{
	put_number(out, arena_used(file->arena));
	/* what is derived from other documents is derived again */
	put_number(out, file_written(file));
	for (size_t i = 0; i < file->documents_n; i++) {
		const struct document *document = &file->documents[i];

		if (document_origin(document)->derived)
			continue;
		put_number(out, document->kind);
		put_place(out, document_origin(document)->at);
		put_object(out, kind_type(document->kind), document->value);
	}
}

bool file_pack(const struct file *file, struct buf *out)
{
	size_t before = out->len;

	if (file->diags_n || file->compose || arena_used(file->arena) > PACK_MEMORY_MAX)
		return false;
	put_file(out, file);
	if (!out->overflow && out->len - before <= PACK_BYTES_MAX)
		return true;
	buf_cut(out, before);
	return false;
}

/* ---- unpacking ---- */

struct unpacker {
	const unsigned char *next, *end;
	struct file *file;
	struct doc_source
		source; /* a rule that is broken is told to its list, which nobody reads */
	bool torn;	/* the bytes are not what packing writes */
};

static bool take_object(struct unpacker *unpacker, const struct object_type *type, void *object);

static bool tear(struct unpacker *unpacker)
{
	unpacker->torn = true;
	return false;
}

/* 0 after the end, as everything that is taken from bytes that are torn. */
static uint64_t take_number(struct unpacker *unpacker)
{
	uint64_t number = 0;
	unsigned shift = 0;

	while (unpacker->next < unpacker->end && shift < 64) {
		unsigned char byte = *unpacker->next++;

		number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
		shift += 7;
	}
	tear(unpacker);
	return 0;
}

static uint64_t take_number_to(struct unpacker *unpacker, uint64_t max)
{
	uint64_t number = take_number(unpacker);

	if (number <= max)
		return number;
	tear(unpacker);
	return 0;
}

static int64_t take_signed(struct unpacker *unpacker)
{
	uint64_t number = take_number(unpacker);

	return (int64_t)(number >> 1 ^ -(number & 1));
}

static struct loc take_place(struct unpacker *unpacker)
{
	struct loc at;

	at.line = (uint32_t)take_number_to(unpacker, UINT32_MAX);
	at.column = (uint32_t)take_number_to(unpacker, UINT32_MAX);
	at.width = (uint32_t)take_number_to(unpacker, UINT32_MAX);
	return at;
}

/* NULL when torn. YAML has no other texts than UTF-8 without NUL. */
static const char *take_text(struct unpacker *unpacker)
{
	size_t left = (size_t)(unpacker->end - unpacker->next);
	size_t len = (size_t)take_number_to(unpacker, left);
	const char *text = (const char *)unpacker->next;

	if (unpacker->torn || len > (size_t)(unpacker->end - unpacker->next) ||
	    len > DOC_STRING_MAX || memchr(text, '\0', len) || !utf8_is_valid(text, len)) {
		tear(unpacker);
		return NULL;
	}
	unpacker->next += len;
	return arena_strndup(unpacker->file->arena, text, len);
}

/* Each entry takes a byte at least, and all of them no more memory than a file may have. */
static size_t take_count(struct unpacker *unpacker, const struct field_type_row *row, size_t size)
{
	size_t left = (size_t)(unpacker->end - unpacker->next);
	size_t n = (size_t)take_number_to(unpacker, left);
	bool fits = (int64_t)n >= row->min && (int64_t)n <= row->max &&
		    n * size + arena_used(unpacker->file->arena) <= PACK_MEMORY_MAX;

	if (fits)
		return n;
	tear(unpacker);
	return 0;
}

/* ---- values by type ---- */

static bool take_strings(struct unpacker *unpacker, const struct field_type_row *row,
			 struct strings *out)
{
	size_t n = take_count(unpacker, row, sizeof *out->v + sizeof *out->at);
	struct loc *places = ARENA_ARRAY(unpacker->file->arena, n, struct loc);

	out->v = ARENA_ARRAY(unpacker->file->arena, n, const char *);
	out->at = places;
	for (; out->n < n && !unpacker->torn; out->n++) {
		places[out->n] = take_place(unpacker);
		out->v[out->n] = take_text(unpacker);
	}
	return !unpacker->torn;
}

static bool pair_fits(const struct field_type_row *row, const char *key, const char *value)
{
	enum form form = FLAGS_FORM(row->flags);

	if (strlen(key) > FIELD_KEY_MAX || !form_key_fits(form, key))
		return false;
	return value ? form_value_fits(form, value) : form_takes_null(form);
}

static bool take_pair(struct unpacker *unpacker, const struct field_type_row *row,
		      struct pairs *out, struct loc *places)
{
	size_t n = out->n;

	places[n] = take_place(unpacker);
	out->key[n] = take_text(unpacker);
	if (take_number_to(unpacker, 1))
		out->value[n] = take_text(unpacker);
	if (unpacker->torn || (n && strcmp(out->key[n - 1], out->key[n]) >= 0) ||
	    !pair_fits(row, out->key[n], out->value[n]))
		return tear(unpacker);
	out->n++;
	return true;
}

static bool take_pairs(struct unpacker *unpacker, const struct field_type_row *row,
		       struct pairs *out)
{
	struct arena *arena = unpacker->file->arena;
	size_t n = take_count(unpacker, row, 2 * sizeof *out->key + sizeof *out->at);
	struct loc *places = ARENA_ARRAY(arena, n, struct loc);

	out->key = ARENA_ARRAY(arena, n, const char *);
	out->value = ARENA_ARRAY(arena, n, const char *);
	out->at = places;
	while (out->n < n)
		if (!take_pair(unpacker, row, out, places))
			return false;
	return !unpacker->torn;
}

static bool take_list(struct unpacker *unpacker, const struct field_type_row *row, void *slot)
{
	size_t size = row->object->size, n = take_count(unpacker, row, size);
	struct any_list list = {arena_array(unpacker->file->arena, n, size), n};

	for (size_t i = 0; i < n; i++)
		if (!take_object(unpacker, row->object, (char *)list.v + i * size))
			return false;
	memcpy(slot, &list, sizeof list);
	return !unpacker->torn && fields_keys_differ(row, list.v, n);
}

static bool take_objmap(struct unpacker *unpacker, const struct field_type_row *row, void *slot)
{
	struct arena *arena = unpacker->file->arena;
	size_t size = row->object->size;
	size_t n = take_count(unpacker, row, size + sizeof(char *) + sizeof(struct loc));
	struct loc *places = ARENA_ARRAY(arena, n, struct loc);
	struct any_map map = {ARENA_ARRAY(arena, n, const char *), arena_array(arena, n, size),
			      places, n};

	for (size_t i = 0; i < n; i++) {
		places[i] = take_place(unpacker);
		map.name[i] = take_text(unpacker);
		if (unpacker->torn || (i && strcmp(map.name[i - 1], map.name[i]) >= 0) ||
		    !take_object(unpacker, row->object, (char *)map.v + i * size))
			return tear(unpacker);
	}
	memcpy(slot, &map, sizeof map);
	return !unpacker->torn;
}

static bool is_word(const struct enum_type *type, int value)
{
	for (size_t i = 0; i < type->values_n; i++)
		if (type->values[i].value == value && !(type->values[i].flags & LATER))
			return true;
	return false;
}

static bool take_value(struct unpacker *unpacker, const struct field_type_row *row, void *slot)
{
	switch (row->type) {
	case TYPE_STRING:
	case TYPE_NAME:
		return (*(const char **)slot = take_text(unpacker)) != NULL;
	case TYPE_BOOL:
		*(bool *)slot = take_number_to(unpacker, 1);
		return !unpacker->torn;
	case TYPE_ENUM:
		*(int *)slot = (int)take_number_to(unpacker, INT_MAX);
		return is_word(row->enumeration, *(int *)slot);
	case TYPE_INT:
	case TYPE_DURATION:
	case TYPE_SIZE:
	case TYPE_CPU:
		*(int64_t *)slot = take_signed(unpacker);
		return *(int64_t *)slot >= row->min && *(int64_t *)slot <= row->max;
	case TYPE_STRINGS:
		return take_strings(unpacker, row, slot);
	case TYPE_MAP:
		return take_pairs(unpacker, row, slot);
	case TYPE_OBJECT: {
		void *object = arena_alloc(unpacker->file->arena, row->object->size);

		*(const void **)slot = object;
		return take_object(unpacker, row->object, object);
	}
	case TYPE_LIST:
		return take_list(unpacker, row, slot);
	case TYPE_OBJMAP:
		return take_objmap(unpacker, row, slot);
	case TYPE_ANY:
		break;
	}
	return false;
}

/* ---- objects ---- */

static bool take_field(struct unpacker *unpacker, const struct object_type *type, unsigned field,
		       struct loc *place, void *object)
{
	const struct field_type_row *row = &type->fields[field];
	void *slot = field_slot(object, row);

	*place = take_place(unpacker);
	return !(row->flags & (LATER | LONG)) && take_value(unpacker, row, slot) &&
	       !unpacker->torn && fields_texts_fit(&unpacker->source, type, row, slot, *place);
}

/* Which fields are there, and is that how they may be? */
static bool take_head(struct unpacker *unpacker, const struct object_type *type, struct head *head)
{
	uint64_t all = type->fields_n < 64 ? (UINT64_C(1) << type->fields_n) - 1 : UINT64_MAX;

	head->set = take_number(unpacker);
	head->null = take_number(unpacker);
	return !((head->set | head->null) & ~all) && !(head->set & head->null) &&
	       fields_presence_fits(type, head);
}

static bool take_object(struct unpacker *unpacker, const struct object_type *type, void *object)
{
	struct arena *arena = unpacker->file->arena;
	struct head *head = object;
	struct loc *places;

	head->path = unpacker->source.path;
	if (arena_used(arena) > PACK_MEMORY_MAX || !take_head(unpacker, type, head))
		return tear(unpacker);
	places = ARENA_ARRAY(arena, (size_t)__builtin_popcountll(head->set), struct loc);
	head->placed = head->set;
	head->at = places;
	for (uint64_t left = head->set; left; left &= left - 1)
		if (!take_field(unpacker, type, (unsigned)__builtin_ctzll(left), places++, object))
			return tear(unpacker);
	return !unpacker->torn;
}

/* ---- documents ---- */

static bool take_document(struct unpacker *unpacker, struct document *document)
{
	struct file *file = unpacker->file;
	const struct object_type *type;

	document->kind = (enum kind)take_number_to(unpacker, KINDS - 1);
	type = kind_type(document->kind);
	document->value = arena_alloc(file->arena, type->size);
	*document_origin(document) = (struct origin){file, take_place(unpacker), NULL};
	if (unpacker->torn || (type->flags & LATER) ||
	    !document_belongs(document->kind, file->unit.level) ||
	    !take_object(unpacker, type, document->value))
		return tear(unpacker);
	document_check(document->kind, document->value, &unpacker->source);
	return document_is_known(document, &unpacker->source) && unpacker->source.diags->n == 0;
}

static bool take_file(struct unpacker *unpacker)
{
	struct file *file = unpacker->file;
	size_t left = (size_t)(unpacker->end - unpacker->next);
	size_t n = (size_t)take_number_to(unpacker, left);

	document_folders_check(&unpacker->source);
	if (unpacker->torn || n * sizeof *file->documents > PACK_MEMORY_MAX ||
	    unpacker->source.diags->n)
		return false;
	file->documents = ARENA_ARRAY(file->arena, n, struct document);
	for (; file->documents_n < n; file->documents_n++)
		if (!take_document(unpacker, &file->documents[file->documents_n]))
			return false;
	derive_documents(file, &unpacker->source);
	return unpacker->next == unpacker->end && unpacker->source.diags->n == 0;
}

struct file *file_unpack(const char *path, const struct oid *blob, const char *bytes, size_t len)
{
	const unsigned char *start = (const unsigned char *)bytes;
	AUTO_DIAGS struct diags broken = {0};
	struct unpacker unpacker = {.next = start, .end = start + len};
	size_t size = (size_t)take_number_to(&unpacker, PACK_MEMORY_MAX);

	/* Alignment took some more. */
	unpacker.file = file_new(path, blob, size + size / 8);
	unpacker.source = (struct doc_source){
		.path = unpacker.file->path, .unit = &unpacker.file->unit, .diags = &broken};
	if (len <= PACK_BYTES_MAX && !unpacker.torn && take_file(&unpacker))
		return unpacker.file;
	file_unref(unpacker.file);
	return NULL;
}
