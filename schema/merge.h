/*
 * merge.h - layers of container configuration over each other, and templates.
 *
 * Weak to strong: image < deployment < instance. Scalars and lists are replaced; maps merge by key;
 * ports, volumes and files by their KEY field; an object merges field by field. A null in a
 * stronger layer removes. Driven by kinds.def alone.
 */
#ifndef TRUEUP_SCHEMA_MERGE_H
#define TRUEUP_SCHEMA_MERGE_H

#include "schema/diag.h"
#include "schema/model.h"

/* layers: weakest first, NULL ones are skipped. The result lives in arena and shares the layers'
 * texts; where a field came from stays in its locations. Never NULL. */
const struct container *merge_containers(struct arena *arena, const struct container *const *layers,
					 size_t n);

struct template_values {
	const char *version, *stage, *project, *node, *prefix; /* NULL: "" */
};
/*
 * A copy of `config` with every {{ name }} in every text value replaced; {{{{ writes {{; any other
 * {{ ... }} is DIAG_BAD_TEMPLATE at the field, except in files[].content where it stays. `unit` is
 * whose problem it is.
 */
const struct container *template_expand(struct arena *arena, const struct container *config,
					const struct template_values *values,
					const struct unit *unit, struct diags *diags);
/* Only looks: are all templates known ones? For the check without a node at hand. */
void template_check(const struct container *config, const struct unit *unit, struct diags *diags);

/*
 * Live fields over a record's: the OPS fields of `now` with the release fields of `recorded`
 * (lifecycle: operations are always taken from the accepted commit).
 */
const struct container *merge_operations(struct arena *arena, const struct container *recorded,
					 const struct container *now);

#endif
