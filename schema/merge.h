/*
 * merge.h - layers of container configuration over each other, and templates.
 *
 * Weak to strong: image < bundles < deployment < instance. Scalars and lists are replaced; maps
 * merge by key; ports, volumes and files by their KEY field; an object merges field by field. Of
 * fields flagged ONE the stronger layer's takes the place of the weaker one's. A null in a stronger
 * layer removes. Driven by kinds.def alone.
 */
#ifndef TRUEUP_SCHEMA_MERGE_H
#define TRUEUP_SCHEMA_MERGE_H

#include "base/err.h"
#include "schema/diag.h"
#include "schema/kinds.h"

/* layers: weakest first, NULL ones are skipped. The result lives in arena and shares the layers'
 * values; where a field came from stays in its locations. Never NULL. */
const struct container *merge_containers(struct arena *arena, const struct container *const *layers,
					 size_t n);

/*
 * The same for two layers of any object of kinds.def; weak or strong may be NULL, both NULL gives
 * an empty object. No null is left in the result.
 */
void *merge_objects(struct arena *arena, const struct object_type *type, const void *weak,
		    const void *strong);

/*
 * What only the merged whole can show: a health check, volume or file of which no layer said the
 * essential (one of the fields flagged ONE) is DIAG_MISSING_FIELD; and what whole.h says.
 */
void merged_check(const struct container *merged, const struct unit *unit, struct diags *diags);
/* Could a merge of this layer fail merged_check? False for most layers: no need to merge then. */
bool merged_check_needed(const struct container *layer);

struct template_values {
	const char *version, *stage, *project, *node, *prefix; /* NULL: "" */
};
/*
 * `config` with every {{ name }} in every text value replaced (itself where it has none); {{{{
 * writes
 * {{; any other {{ ... }} is DIAG_BAD_TEMPLATE at the field, except in files[].content where it
 * stays. A text that no longer has its field's form is DIAG_BAD_VALUE or DIAG_BAD_NAME. `unit` is
 * whose problem it is.
 */
const struct container *template_expand(struct arena *arena, const struct container *config,
					const struct template_values *values,
					const struct unit *unit, struct diags *diags);
#define TEMPLATE_HINT "there are version, stage, project, node and prefix; {{{{ writes {{"
/* One text: the replaced one (text itself where it has no template), or NULL and E_BAD_INPUT. */
const char *template_text(struct arena *arena, const char *text,
			  const struct template_values *values, struct err *err);
/* Only looks: are all templates known ones? For the check without a node at hand. */
void template_check(const struct container *config, const struct unit *unit, struct diags *diags);

/*
 * Live fields over a record's: the OPS fields of `now` with the release fields of `recorded`
 * (lifecycle: operations are always taken from the accepted commit).
 */
const struct container *merge_operations(struct arena *arena, const struct container *recorded,
					 const struct container *now);

#endif
