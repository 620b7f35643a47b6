/*
 * desired_claim.c - who wants what on a node, and who wants the same.
 */
#include "base/sys.h"
#include "plan/desired_group.h"

#include <arpa/inet.h>

#include "base/hash.h"
#include "base/vec.h"
#include "schema/kinds.h"

const char *slot_path(struct arena *arena, const struct slot_key *key)
{
	return arena_printf(arena, "%s/%s/%s", key->project, key->stage, key->deployment);
}

const char *instance_name(struct arena *arena, const char *prefix,
			  const struct content_container *container, int64_t instance)
{
	const char *name = container->config->name;

	if (!name)
		name = container->name;
	if (instance == 1)
		return arena_printf(arena, "%s-%s", prefix, name);
	return arena_printf(arena, "%s-%s-%lld", prefix, name, (long long)instance);
}

struct place place_or(const char *path, struct loc at, const struct slot *slot)
{
	const struct deployment *deployment = slot->deployment;

	if (path && at.line)
		return (struct place){path, at};
	return (struct place){deployment->from.file->path,
			      IS_SET(deployment, deployment, version)
				      ? AT(deployment, deployment, version)
				      : AT(deployment, deployment, product)};
}

/* ---- making claims ---- */

struct claiming {
	struct slot_group *group;
	const struct slot *slot;
	const char *owner; /* the slot */
	VEC(struct claim) list;
};

static void claim(struct claiming *c, enum diag_code code, const char *thing, const char *owner,
		  const char *part, struct place place)
{
	VEC_PUSH(&c->list, (struct claim){
				   .thing = thing,
				   .node = c->slot->key.node,
				   .owner = owner,
				   .part = part,
				   .code = code,
				   .slot = c->slot,
				   .path = place.path,
				   .at = place.at,
			   });
}

static void claim_prefix(struct claiming *c)
{
	struct arena *arena = c->group->arena;
	const struct slot *slot = c->slot;
	const struct deployment *deployment = slot->deployment;
	struct place place = {deployment->from.file->path,
			      IS_SET(deployment, deployment, prefix)
				      ? AT(deployment, deployment, prefix)
				      : AT(deployment, deployment, product)};

	claim(c, DIAG_PREFIX_TAKEN, arena_printf(arena, "prefix %s", slot->prefix),
	      arena_printf(arena, "%s/%s", slot->key.project, slot->key.stage), NULL, place);
	if (deployment->from.derived)
		return; /* its product is its own, whatever else has the name */
	claim(c, DIAG_DUPLICATE_SLOT,
	      arena_printf(arena, "product %s in stage %s/%s under prefix %s", slot->product->name,
			   slot->key.project, slot->key.stage, slot->prefix),
	      c->owner, NULL, place);
}

static void claim_names(struct claiming *c, const struct content_container *container)
{
	struct arena *arena = c->group->arena;
	const struct container *config = container->config;
	const struct deployment *deployment = c->slot->deployment;
	int64_t scale = KIND_OR(config, container, scale);
	struct place place = {deployment->from.file->path, AT(deployment, deployment, name)};

	if (config->name)
		place = place_or(PATH_OF(config, container, name), AT(config, container, name),
				 c->slot);
	for (int64_t i = 1; i <= scale; i++) {
		const char *name = instance_name(arena, c->slot->prefix, container, i);

		claim(c, DIAG_NAME_TAKEN, arena_printf(arena, "container name %s", name), NULL,
		      NULL, place);
		for (size_t j = 0; j < config->init.n; j++)
			claim(c, DIAG_NAME_TAKEN,
			      arena_printf(arena, "container name %s" INIT_INFIX "%s", name,
					   config->init.v[j].name),
			      NULL, NULL, place);
	}
}

/* One text for each address; NULL for those that mean all of them. */
static const char *plain_address(struct arena *arena, const char *address)
{
	unsigned char bytes[16], zero[16] = {0};
	int family = address && strchr(address, ':') ? AF_INET6 : AF_INET;
	char text[INET6_ADDRSTRLEN];

	if (!address)
		return NULL;
	if (inet_pton(family, address, bytes) != 1)
		return address;
	if (memcmp(bytes, zero, family == AF_INET ? 4 : 16) == 0)
		return NULL;
	return arena_strdup(arena, inet_ntop(family, bytes, text, sizeof text));
}

static void claim_ports(struct claiming *c, const struct container *config)
{
	struct arena *arena = c->group->arena;
	struct node_ports taken;

	for (size_t i = 0; node_ports_at(c->slot, config, i, &taken); i++) {
		for (int64_t port = taken.low; port && port <= taken.high; port++)
			claim(c, DIAG_PORT_TAKEN,
			      arena_printf(arena, "host port %lld/%s", (long long)port,
					   ENUM_WORD(protocol, (int)taken.protocol)),
			      NULL, plain_address(arena, taken.address),
			      place_or(taken.path, taken.at, c->slot));
	}
}

/*
 * On the node a volume is <prefix>-<name>: prefix a-b with volume c is the same as prefix a with
 * volume b-c, which no `shared` makes right, since a prefix is one stage's.
 */
static void claim_volumes(struct claiming *c, const struct volume_list *volumes)
{
	struct arena *arena = c->group->arena;

	for (size_t i = 0; i < volumes->n; i++) {
		const struct volume *volume = &volumes->v[i];
		struct place place =
			place_or(PATH_OF(volume, volume, name), AT(volume, volume, name), c->slot);
		const char *full;

		if (!volume->name || volume->type == VOLUME_TMP)
			continue;
		full = arena_printf(arena, "%s-%s", c->slot->prefix, volume->name);
		claim(c, DIAG_VOLUME_TAKEN, arena_printf(arena, "volume %s", full), c->owner,
		      volume->shared ? c->owner : NULL, place);
		claim(c, DIAG_VOLUME_TAKEN, arena_printf(arena, "volume name %s", full),
		      c->slot->prefix, NULL, place);
	}
}

/* "/", "" and NULL are all of a domain; "/a/" is "/a". */
static const char *route(struct arena *arena, const char *domain, const char *path)
{
	size_t len = path ? strlen(path) : 0;

	while (len && path[len - 1] == '/')
		len--;
	return arena_printf(arena, "domain %s%.*s", domain, (int)len, len ? path : "");
}

static void claim_routes(struct claiming *c, const struct routing *routing)
{
	struct arena *arena = c->group->arena;

	if (!routing)
		return;
	if (routing->domain)
		claim(c, DIAG_DOMAIN_TAKEN, route(arena, routing->domain, routing->path), NULL,
		      NULL,
		      place_or(PATH_OF(routing, routing, domain), AT(routing, routing, domain),
			       c->slot));
	for (size_t i = 0; i < routing->aliases.n; i++)
		claim(c, DIAG_DOMAIN_TAKEN, route(arena, routing->aliases.v[i], routing->path),
		      NULL, NULL,
		      place_or(PATH_OF(routing, routing, aliases),
			       routing->aliases.at ? routing->aliases.at[i]
						   : AT(routing, routing, aliases),
			       c->slot));
}

static void claim_slot(struct claiming *c, const struct slot *slot)
{
	c->slot = slot;
	c->owner = slot_path(c->group->arena, &slot->key);
	claim_prefix(c);
	for (size_t i = 0; i < slot->content.containers_n; i++) {
		const struct content_container *container = &slot->content.containers[i];

		claim_names(c, container);
		claim_ports(c, container->config);
		claim_routes(c, container->config->routing);
		claim_volumes(c, &container->config->volumes);
		for (size_t j = 0; j < container->config->init.n; j++)
			claim_volumes(c, &container->config->init.v[j].volumes);
	}
}

static uint64_t claim_hash(const struct claim *claim)
{
	char text[512];
	int len = snprintf(text, sizeof text, "%s\n%s", claim->node, claim->thing);

	return hash_seeded(text, len < (int)sizeof text ? (size_t)len : sizeof text - 1);
}

void slot_group_claim(struct slot_group *group)
{
	struct claiming claiming = {.group = group};

	for (size_t i = 0; i < group->slots_n; i++)
		claim_slot(&claiming, &group->slots[i]);
	group->claims_n = claiming.list.n;
	group->claims = arena_memdup(group->arena, claiming.list.v,
				     claiming.list.n * sizeof *claiming.list.v);
	group->claim_hashes = ARENA_ARRAY(group->arena, claiming.list.n, uint64_t);
	for (size_t i = 0; i < group->claims_n; i++)
		group->claim_hashes[i] = claim_hash(&group->claims[i]);
	VEC_FREE(&claiming.list);
}

/* ---- finding those that clash ---- */

/* What is known of all claims with one hash. */
struct tally {
	uint64_t hash;
	bool used, clash;
	const struct claim *first;
};
struct tallies {
	struct tally *v;
	size_t size; /* a power of two, more than twice the number of entries */
};

static struct tally *tally_of(const struct tallies *tallies, uint64_t hash)
{
	size_t at = hash & (tallies->size - 1);

	while (tallies->v[at].used && tallies->v[at].hash != hash)
		at = (at + 1) & (tallies->size - 1);
	return &tallies->v[at];
}

static bool same_owner(const struct claim *a, const struct claim *b)
{
	return a == b || (a->owner && b->owner && str_eq(a->owner, b->owner));
}

/* Only what new groups claim can be new in a clash. */
static struct tallies tally_new(const struct desired *desired, bool trusted)
{
	struct tallies tallies = {.size = 16};
	size_t n = 0;

	for (size_t i = 0; i < desired->groups_n; i++)
		n += is_new(desired, trusted, i) ? desired->groups[i]->claims_n : 0;
	while (tallies.size < n * 2 + 1)
		tallies.size *= 2;
	tallies.v = mem_zalloc(tallies.size, sizeof *tallies.v);
	for (size_t i = 0; i < desired->groups_n; i++) {
		const struct slot_group *group = desired->groups[i];

		for (size_t j = 0; is_new(desired, trusted, i) && j < group->claims_n; j++) {
			struct tally *tally = tally_of(&tallies, group->claim_hashes[j]);

			tally->hash = group->claim_hashes[j];
			tally->used = true;
		}
	}
	return tallies;
}

static bool tally_all(const struct desired *desired, const struct tallies *tallies)
{
	bool clash = false;

	for (size_t i = 0; i < desired->groups_n; i++) {
		const struct slot_group *group = desired->groups[i];

		for (size_t j = 0; j < group->claims_n; j++) {
			struct tally *tally = tally_of(tallies, group->claim_hashes[j]);

			if (!tally->used)
				continue;
			if (!tally->first)
				tally->first = &group->claims[j];
			else if (!same_owner(tally->first, &group->claims[j]))
				clash = tally->clash = true;
		}
	}
	return clash;
}

typedef VEC(const struct claim *) claim_list;

static void gather(const struct desired *desired, const struct tallies *tallies, claim_list *out)
{
	for (size_t i = 0; i < desired->groups_n; i++) {
		const struct slot_group *group = desired->groups[i];

		for (size_t j = 0; j < group->claims_n; j++) {
			if (tally_of(tallies, group->claim_hashes[j])->clash)
				VEC_PUSH(out, &group->claims[j]);
		}
	}
}

/* ---- judging a run of claims to one thing ---- */

static int thing_cmp(const struct claim *a, const struct claim *b)
{
	int order = str_cmp(a->node, b->node);

	return order ? order : str_cmp(a->thing, b->thing);
}

/* Those to all of the thing first; then part by part. */
static int claim_cmp(const void *left, const void *right)
{
	const struct claim *a = *(const struct claim *const *)left;
	const struct claim *b = *(const struct claim *const *)right;
	int order = thing_cmp(a, b);

	if (order == 0)
		order = str_cmp(a->part, b->part);
	if (order == 0)
		order = slot_key_cmp(&a->slot->key, &b->slot->key);
	if (order == 0)
		order = str_cmp(a->path, b->path);
	if (order == 0)
		order = (a->at.line > b->at.line) - (a->at.line < b->at.line);
	return order;
}

/* A stretch of claims, and two of them with different owners: enough to find each one's rival. */
struct stretch {
	const struct claim *const *v;
	size_t n;
	const struct claim *one, *other;
};

static struct stretch stretch_of(const struct claim *const *v, size_t n)
{
	struct stretch stretch = {v, n, n ? v[0] : NULL, NULL};

	for (size_t i = 1; i < n && !stretch.other; i++) {
		if (!same_owner(v[i], stretch.one))
			stretch.other = v[i];
	}
	return stretch;
}

static const struct claim *rival(const struct stretch *stretch, const struct claim *claim)
{
	if (stretch->one && !same_owner(stretch->one, claim))
		return stretch->one;
	if (stretch->other && !same_owner(stretch->other, claim))
		return stretch->other;
	return NULL;
}

static const char *remedy(const struct claim *claim)
{
	switch (claim->code) {
	case DIAG_PREFIX_TAKEN:
		return "a prefix on a node belongs to one stage: give this deployment another one";
	case DIAG_DUPLICATE_SLOT:
		return "give one of them another prefix or node";
	case DIAG_NAME_TAKEN:
		if (model_written(claim->slot->deployment))
			return "its containers are named after it: give one of them another name";
		return "give one of them another prefix, or its container another name";
	case DIAG_PORT_TAKEN:
		return "choose another host port, or another address of the node for each";
	case DIAG_DOMAIN_TAKEN:
		return "on a node a domain leads to one container: give one of them another "
		       "domain or another path, or put it on another node";
	default:
		return "only volumes that every user marks `shared: true` can be used by several "
		       "deployments";
	}
}

static void report_clash(const struct claim *claim, const struct claim *other, struct diags *diags)
{
	const struct slot_key *mine = &claim->slot->key, *theirs = &other->slot->key;
	struct diag *diag;

	if (slot_key_cmp(mine, theirs) == 0)
		diag = diags_add(diags, claim->code, &claim->slot->unit, claim->path, claim->at,
				 "deployment %s/%s/%s wants %s on node %s twice", mine->project,
				 mine->stage, mine->deployment, claim->thing, mine->node);
	else
		diag = diags_add(diags, claim->code, &claim->slot->unit, claim->path, claim->at,
				 "deployment %s/%s/%s wants %s on node %s, which deployment "
				 "%s/%s/%s wants too",
				 mine->project, mine->stage, mine->deployment, claim->thing,
				 mine->node, theirs->project, theirs->stage, theirs->deployment);
	diag->hint = remedy(claim);
	diag->related_path = diags_text(diags, "%s", other->path);
	diag->related = other->at;
}

static size_t same_part(const struct claim *const *v, size_t n)
{
	size_t end = 1;

	while (end < n && str_eq(v[end]->part, v[0]->part))
		end++;
	return end;
}

static void judge_run(const struct claim *const *v, size_t n, struct diags *diags)
{
	struct stretch all = stretch_of(v, n),
		       whole = stretch_of(v, v[0]->part ? 0 : same_part(v, n));

	for (size_t i = 0; i < whole.n; i++) {
		const struct claim *other = rival(&all, v[i]);

		if (other)
			report_clash(v[i], other, diags);
	}
	for (size_t start = whole.n, end; start < n; start = end) {
		struct stretch part = stretch_of(v + start, same_part(v + start, n - start));

		end = start + part.n;
		for (size_t i = start; i < end; i++) {
			const struct claim *other = rival(&whole, v[i]);

			if (!other)
				other = rival(&part, v[i]);
			if (other)
				report_clash(v[i], other, diags);
		}
	}
}

void claims_check(const struct desired *desired, bool trusted, struct diags *diags)
{
	struct tallies tallies = tally_new(desired, trusted);
	claim_list list = {0};

	if (tally_all(desired, &tallies))
		gather(desired, &tallies, &list);
	VEC_SORT(&list, claim_cmp);
	for (size_t start = 0, end; start < list.n; start = end) {
		for (end = start + 1; end < list.n; end++) {
			if (thing_cmp(list.v[start], list.v[end]) != 0)
				break;
		}
		judge_run(list.v + start, end - start, diags);
	}
	VEC_FREE(&list);
	free(tallies.v);
}
