/*
 * desired_group.h - inside desired*.c: all slots of one deployment, and what they lay claim to.
 *
 * A group is made once from its documents and never changed. Desired states that follow each other
 * share the groups whose documents stayed the same, by reference; so a pass costs what changed, and
 * a few nanoseconds for each deployment that did not.
 */
#ifndef TRUEUP_PLAN_DESIRED_GROUP_H
#define TRUEUP_PLAN_DESIRED_GROUP_H

#include "plan/desired.h"

/*
 * Something on a node that one party can have: "host port 8080/tcp". Two claims of one thing clash
 * unless they have the same owner, or both are divisible and name different parts of it (two
 * addresses for one port; `part` of a shared volume is its owner).
 */
struct claim {
	const char *thing; /* as people call it; the same text is the same thing */
	const char *node;
	const char *owner; /* NULL: nobody else is the same owner */
	const char *part;  /* NULL: all of it */
	enum diag_code code;
	const struct slot *slot;
	const char *path; /* where it is laid; NULL: not known */
	struct loc at;
};

struct slot_group {
	unsigned references;
	struct arena *arena;
	const struct deployment *deployment;
	struct slot *slots; /* by node */
	size_t slots_n;
	const struct file **inputs; /* of all its slots, each once */
	size_t inputs_n;
	bool open;	  /* a document it names is missing: look again each time */
	bool by_selector; /* a new node may be one of its nodes */
	bool by_registry; /* an image is a Registry's, or would be if there were one */
	bool from_ledger; /* its version has no file; one may come */
	struct claim *claims;
	uint64_t *claim_hashes; /* of thing and node; apart, because all of them are walked */
	size_t claims_n;
};

/* desired_slot.c: the group of one deployment, with one reference. Never NULL. */
struct slot_group *slot_group_make(const struct model *model, const struct history *history,
				   const struct deployment *deployment, struct diags *diags);
void slot_group_unref(struct slot_group *group);

/* desired_claim.c: fills the claims of a group that has its slots. */
void slot_group_claim(struct slot_group *group);
/* Reports each claim that clashes. */
void claims_check(const struct desired *desired, bool trusted, struct diags *diags);

/* desired_requires.c: reports each requirement of a deployed version that its stage does not meet.
 */
void requirements_check(const struct desired *desired, bool trusted, struct arena *arena,
			struct diags *diags);

/* Is a group to be checked? Not if it was taken over, and what was taken over can be trusted. */
static inline bool is_new(const struct desired *desired, bool trusted, size_t group)
{
	return !trusted || !desired->taken[group];
}

/* The name of an instance of a container on the node: <prefix>-<container>, and -2, -3... */
const char *instance_name(struct arena *arena, const char *prefix,
			  const struct content_container *container, int64_t instance);
/* "shop/production/storefront" */
const char *slot_path(struct arena *arena, const struct slot_key *key);

/* A field that forbids that the new record comes up beside the old one. */
struct obstacle {
	const char *reason; /* NULL: there is none */
	const char *path;
	struct loc at;
};
struct obstacle find_obstacle(struct arena *arena, const struct slot *slot);

/* Ports of the node that a container takes, and the field that says so. */
struct node_ports {
	int64_t low, high; /* low 0: none */
	enum protocol_value protocol;
	const char *address; /* NULL: all of the node's */
	const char *path;
	struct loc at;
};
/*
 * What the container's i-th entry of ports takes, and behind these of portRanges; false when there
 * is no such entry. Where nothing stands between the container and the node, as with networkMode:
 * host, it takes what the container itself listens on.
 */
bool node_ports_at(const struct slot *slot, const struct container *config, size_t i,
		   struct node_ports *out);

/* A place in a file, or where it is not known the place of the deployment. */
struct place {
	const char *path;
	struct loc at;
};
struct place place_or(const char *path, struct loc at, const struct slot *slot);

#endif
