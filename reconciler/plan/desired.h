/*
 * desired.h - what the accepted documents ask for: one slot per deployment and node.
 *
 * Pure. Slots whose inputs are the same files as before are taken over from the previous desired
 * state without being looked at again: that is what makes a no-op free.
 */
#ifndef TRUEUP_PLAN_DESIRED_H
#define TRUEUP_PLAN_DESIRED_H

#include "drivers/driver.h"
#include "plan/content.h"
#include "plan/record.h"
#include "schema/bundles.h"
#include "schema/diag.h"
#include "schema/model.h"

struct slot {
	struct slot_key key;
	struct unit unit;
	const struct deployment *deployment;
	const struct product *product;
	const struct version *version; /* NULL: simple product, or only the ledger has it */
	const struct node *node;
	const struct stage *stage;
	const char *version_name; /* NULL: simple product */
	const char *parent;
	enum version_type_value type;
	const char *prefix;
	bool is_stack;			 /* its containers are services of a Compose file */
	const struct image_list *images; /* of the version, as in its file; NULL: only the ledger
					    has it */
	/* Merged, expanded, all fields (release and operations); digests are NULL. */
	struct content content;
	struct bundle_list bundles; /* that the deployment names */
	char version_id[RECORD_ID_SIZE], source_id[RECORD_ID_SIZE], input_id[RECORD_ID_SIZE];
	enum strategy_type_value strategy;
	const char *strategy_reason; /* why recreate, or NULL: "writable volume data" */
	/* The files it was read from. */
	const struct file **inputs;
	size_t inputs_n;
};

/* What the checks found; theirs alone to write. */
struct desired_verdict {
	bool checked, wrong;
	const struct settings *settings; /* that it was checked with; NULL: none */
};

/* All slots of one deployment: made once, shared by every desired state that takes them over. */
struct slot_group;

struct desired {
	const struct slot **slots; /* by slot key */
	size_t slots_n;
	struct slot_group **groups; /* in order of their slots; desired_group.h */
	bool *taken;		    /* one for each group: taken over from the previous state */
	size_t groups_n;
	struct desired_verdict *verdict;
	struct desired_verdict before; /* of the previous state */
	const struct model *model;     /* what it was built from */
	const struct model *base;      /* the previous state's; NULL: none */
	const struct file **added;     /* files of model that base has not, by path */
	size_t added_n;
	const struct deployment **gone; /* documents of base that model has not, in their order */
	size_t gone_n;
	struct arena *arena; /* its own; texts of the model are shared: free it before the model */
};
void desired_free(struct desired *desired);
/* Index of the first slot that is not before key; slots of a deployment, and of a stage, stand
 * together.
 */
size_t desired_first(const struct desired *desired, const struct slot_key *key);
/* NULL when there is none. */
const struct slot *desired_find(const struct desired *desired, const struct slot_key *key);

/*
 * Builds the slots of all deployments. `history` (NULL: none) gives the content of versions whose
 * file is gone. A value that a template made unfit for its field goes to *diags.
 *
 * `previous` (NULL: none) is the state before: `model` shares its unchanged files, and its own
 * model must be alive until the checks of the new one are done. What is taken over from it is not
 * checked again where it was found right before with the same settings (the same struct, not a
 * changed one), only whether something new clashes with it. A deployment without slots for want of
 * a document (which check_model reports) is looked at again each time.
 */
struct desired *desired_build(const struct model *model, const struct history *history,
			      const struct desired *previous, struct diags *diags);

/*
 * What must hold in a slot, between slots, and on nodes: name-too-long, scale-fixed-port,
 * strategy-impossible, duplicate-slot, prefix-taken, name-taken, port-taken,
 * volume-taken, duplicate-node, requires-unmet, requires-not-comparable, and each driver's and the
 * policy's own check, and unknown-volume of what runs before a container. env NULL: only what needs
 * no settings (validate).
 *
 * Of a clash each party gets a problem of its own, at its field, with the other's place as the
 * related one, and charged to its stage; the field may stand in a file of a wider unit (a
 * version's). So whoever accepts commits can hold the stage that changed, and where no stage did,
 * the wider unit.
 */
void desired_check(const struct desired *desired, const struct model *model,
		   const struct driver_env *env, struct diags *diags);

/*
 * The specs of one slot for a given content: instances by scale, names, labels; operations of the
 * slot over the release fields of the content. A container that the commit no longer knows has the
 * operations of the deployment and of its instance. record (NULL: none yet) says product, version,
 * prefix, commit and record id, else the slot does. *n of them, in order of start, in arena.
 */
struct spec *desired_specs(const struct slot *slot, const struct content *content,
			   const struct record *record, const char *owner, struct arena *arena,
			   size_t *n);

#endif
