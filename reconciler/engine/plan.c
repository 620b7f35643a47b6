#include "base/sys.h"

#include "base/json.h"
#include "engine/accept.h"
#include "engine/engine.h"
#include "engine/judge.h"
#include "engine/look.h"
#include "engine/oneshot.h"
#include "ledger/ledger_read.h"
#include "plan/slow_stop.h"
#include "schema/check.h"
#include "schema/kinds.h"

/*
 * `plan` reads what the daemon reads and stops before it would write: the ledger through a reader's
 * view, the repository, the nodes. It holds no lock and makes no file.
 */
struct planning {
	const struct engine_options *options;
	struct engine_outcome *outcome;
	struct arena *arena; /* the outcome's */
	struct repo *repo;
	struct ledger_view *view;
	struct oid tip, base;
	bool has_base;
	struct tree tree;
	struct file_set files, in_force;
	struct accept_outcome before, now;
	char owner[192];
	struct driver_env env;
	VEC(struct node_view) nodes;
	VEC(struct digest_entry) digests;
	VEC(struct look_result *) looks;
};

static int load_commit(struct planning *p, const struct oid *commit, const struct file_set *known,
		       struct tree *tree, struct file_set *out, struct err *err)
{
	size_t max = (size_t)KIND_OR(p->options->settings, settings, max_files);
	if (tree_list(p->repo, commit, p->options->settings->path, max, p->arena, tree, err) < 0)
		return -1;
	struct load_request request = {.repo = p->repo, .tree = tree, .known = known};
	return load_now(&request, out, err);
}

static int find_commits(struct planning *p, struct err *err)
{
	const struct settings *settings = p->options->settings;
	bool remote;
	if (!settings->repo)
		return err_set(err, E_USAGE,
			       "no repository: give --repo URL or set repo in the "
			       "settings");
	if (repo_is_remote(settings->repo, &remote, err) < 0 ||
	    repo_open(settings->repo, p->view->exists ? p->options->state_dir : NULL, &p->repo,
		      err) < 0)
		return -1;
	int found = p->options->revision
			    ? repo_revision(p->repo, p->options->revision, &p->tip, err)
			    : repo_branch(p->repo, settings->branch ? settings->branch : "main",
					  &p->tip, err);
	if (found < 0)
		return -1;
	if (p->options->base) {
		p->has_base = true;
		return repo_revision(p->repo, p->options->base, &p->base, err);
	}
	const char *accepted = p->view->base;
	p->has_base = accepted && oid_parse(accepted, &p->base) == 0;
	return 0;
}

/* Documents of held units come from their own accepted commit. */
static int restore_held(struct planning *p, struct err *err)
{
	for (size_t i = 0; i < p->view->units_n; i++) {
		const struct ledger_unit *row = &p->view->units[i];
		struct oid id;
		struct tree tree;
		struct file_set files = {0};
		if (!row->refused)
			continue;
		if (row->accepted && oid_parse(row->accepted, &id) == 0 &&
		    load_commit(p, &id, &p->in_force, &tree, &files, err) < 0)
			return -1;
		file_set_replace_unit(&p->in_force, &files, &row->unit);
		file_set_release(&files);
	}
	return 0;
}

static int load_documents(struct planning *p, struct err *err)
{
	struct tree tree;
	if (p->has_base && load_commit(p, &p->base, NULL, &tree, &p->in_force, err) < 0)
		return -1;
	if (!p->options->base && restore_held(p, err) < 0)
		return -1;
	return load_commit(p, &p->tip, &p->in_force, &p->tree, &p->files, err);
}

static void judge_documents(struct planning *p)
{
	char hex[OID_HEX_SIZE];
	const char **trailers = NULL;
	size_t trailers_n = 0;
	/* What is in force was accepted: it is taken as it is. */
	struct accept_input in_force = {
		.tip = &p->in_force, .in_force = &p->in_force, .history = &p->view->history};
	accept_run(&in_force, &p->before);
	repo_trailers(p->repo, &p->tip, p->has_base ? &p->base : NULL, "Trueup-Prune", p->arena,
		      &trailers, &trailers_n, NULL);
	struct judge_input input = {.commit = oid_hex(&p->tip, hex),
				    .tip = &p->files,
				    .tree = &p->tree,
				    .before = &p->before,
				    .history = &p->view->history,
				    .env = &p->env,
				    .approvals = p->view->approvals,
				    .approvals_n = p->view->approvals_n,
				    .prune_trailers = trailers,
				    .prune_trailers_n = trailers_n};
	judge_run(&input, p->arena, &p->now, NULL);
}

static int read_file(void *arg, const char *path, struct buf *out)
{
	struct planning *p = arg;
	return tree_read(&p->tree, p->repo, path, out);
}

int oneshot_check_node(const struct model *model, const char *name, struct err *err)
{
	VEC(const char *) names = {0};
	if (!name || !model || model_node(model, name))
		return 0;
	for (size_t i = 0; i < model->nodes.n; i++)
		VEC_PUSH(&names, model->nodes.v[i]->name);
	err_set(err, E_NOT_FOUND, "there is no node %s", name);
	check_suggest(name, names.v, names.n, err);
	VEC_FREE(&names);
	return -1;
}

void oneshot_keep_diags(struct diags *diags, struct engine_outcome *outcome)
{
	struct arena *arena = outcome->arena;
	outcome->refused_n = diags->n;
	outcome->refused = ARENA_ARRAY(arena, diags->n + 1, struct diag);
	for (size_t i = 0; i < diags->n; i++) {
		struct diag *diag = &outcome->refused[i];
		*diag = diags->v[i];
		diag->path = arena_strdup(arena, diag->path);
		diag->message = arena_strdup(arena, diag->message);
		diag->hint = arena_strdup(arena, diag->hint);
		diag->excerpt = arena_strdup(arena, diag->excerpt);
		diag->related_path = arena_strdup(arena, diag->related_path);
		diag->unit.project = arena_strdup(arena, diag->unit.project);
		diag->unit.stage = arena_strdup(arena, diag->unit.stage);
	}
	diags_release(diags);
}

static void gather_refusals(struct planning *p)
{
	struct diags diags = {0};
	bool empty = p->tree.entries_n == 0;
	if (empty) {
		/* As at apply: nothing follows from a commit without manifests. */
		struct unit unit = {.level = UNIT_ORGANIZATION};
		diags_add(&diags, DIAG_EMPTY_TREE, &unit, NULL, (struct loc){0}, EMPTY_TREE_MESSAGE)
			->hint = EMPTY_TREE_HINT;
	}
	for (size_t i = 0; i < p->now.units_n && !empty; i++)
		if (p->now.units[i].held)
			diags_append(&diags, p->now.units[i].diags, p->now.units[i].diags_n);
	const struct settings *settings = p->options->settings;
	bool forward = KIND_OR(settings, settings, history) == HISTORY_FORWARD;
	if (forward && p->has_base && !p->options->base &&
	    repo_descends(p->repo, &p->tip, &p->base, NULL) == 0) {
		struct unit unit = {.level = UNIT_ORGANIZATION};
		char tip[OID_HEX_SIZE], base[OID_HEX_SIZE];
		diags_add(&diags, DIAG_NOT_FORWARD, &unit, NULL, (struct loc){0},
			  "%.12s does not descend from %.12s, the last accepted commit",
			  oid_hex(&p->tip, tip), oid_hex(&p->base, base))
			->hint = "trueup approve it if this was meant";
	}
	diags_sort(&diags);
	diags_excerpts(&diags, read_file, p);
	oneshot_keep_diags(&diags, p->outcome);
}

static void see_node(struct planning *p, const struct node *node)
{
	struct err err = ERR_INIT;
	struct node_view view = {.name = node->name};
	if (!p->options->offline) {
		struct plan_input input = {.desired = p->now.desired,
					   .model = p->now.model,
					   .history = &p->view->history};
		struct digest_entry *images;
		size_t n = plan_images(&input, p->arena, &images), wanted = 0;
		const char **names = ARENA_ARRAY(p->arena, n + 1, const char *);
		for (size_t i = 0; i < n; i++)
			if (str_eq(images[i].node, node->name))
				names[wanted++] = images[i].image;
		p->env.model = p->now.model;
		struct look_request request = {
			.node = node, .env = &p->env, .images = names, .images_n = wanted};
		struct look_result *look = look_now(&request, &err);
		if (look)
			VEC_PUSH(&p->looks, look);
		view.observed = look ? &look->observed : NULL;
		view.error = look ? NULL : arena_strdup(p->arena, err.text);
		for (size_t i = 0; look && i < look->images_n; i++) {
			struct digest_entry digest = {node->name, look->images[i].image,
						      look->images[i].digest,
						      look->images[i].error};
			VEC_PUSH(&p->digests, digest);
		}
	}
	VEC_PUSH(&p->nodes, view);
}

static enum unit_state state_of_unit(void *arg, const char *project, const char *stage)
{
	const struct planning *p = arg;
	struct unit unit = {UNIT_STAGE, project, stage};
	const struct accept_unit *found = accept_find(&p->now, &unit);
	if (!found)
		return UNIT_UNKNOWN;
	return found->held ? UNIT_HELD : found->gone ? UNIT_GONE : UNIT_CURRENT;
}

static void make_plan(struct planning *p)
{
	char hex[OID_HEX_SIZE];
	for (size_t i = 0; i < p->now.model->nodes.n; i++) {
		const struct node *node = p->now.model->nodes.v[i];
		if (!p->options->node || str_eq(p->options->node, node->name))
			see_node(p, node);
	}
	AUTO_JSON json_t *slow = json_kept(p->view->slow_stops, BUF_MAX_TEXT);
	AUTO_JSON json_t *moved = json_kept(p->view->moved_tags, BUF_MAX_TEXT);
	struct plan_input *input = ARENA_NEW(p->arena, struct plan_input);
	*input = (struct plan_input){
		.commit = arena_strdup(p->arena, oid_hex(&p->tip, hex)),
		.base = p->has_base ? arena_strdup(p->arena, oid_hex(&p->base, hex)) : NULL,
		.desired = p->now.desired,
		.model = p->now.model,
		.history = &p->view->history,
		.nodes = p->nodes.v,
		.nodes_n = p->nodes.n,
		.digests = p->digests.v,
		.digests_n = p->digests.n,
		.owner = p->owner,
		.unit_state = state_of_unit,
		.unit_arg = p,
		.refused = p->outcome->refused,
		.refused_n = p->outcome->refused_n,
		.adopting = p->view->adopting != NULL,
		.slow_stops = slow,
		.moved_tags = moved,
	};
	p->outcome->plan = plan_build(input, p->arena);
}

static void release_planning(struct planning *p)
{
	for (size_t i = 0; i < p->looks.n; i++)
		look_result_free(p->looks.v[i]);
	VEC_FREE(&p->looks);
	VEC_FREE(&p->nodes);
	VEC_FREE(&p->digests);
	if (p->now.arena)
		accept_outcome_release(&p->now);
	if (p->before.arena)
		accept_outcome_release(&p->before);
	file_set_release(&p->files);
	file_set_release(&p->in_force);
	repo_close(&p->repo);
	ledger_view_close(&p->view);
	free(p);
}

void engine_outcome_release(struct engine_outcome *outcome)
{
	if (outcome->release)
		outcome->release(outcome->held);
	json_decref(outcome->done);
	arena_free(outcome->arena);
	*outcome = (struct engine_outcome){0};
}

static void release_held(void *held)
{
	release_planning(held);
}

int engine_plan(const struct engine_options *options, struct engine_outcome *outcome,
		struct err *err)
{
	*outcome = (struct engine_outcome){.arena = arena_new(0)};
	struct planning *p = mem_zalloc(1, sizeof *p);
	p->options = options;
	p->outcome = outcome;
	p->arena = outcome->arena;
	/* The plan borrows from all of this: it is released with the outcome. */
	outcome->held = p;
	outcome->release = release_held;
	if (ledger_view_open(options->state_dir, VIEW_STATUS | VIEW_CONTENT, &p->view, err) < 0)
		return -1;
	snprintf(p->owner, sizeof p->owner, "%s", p->view->owner ? p->view->owner : "");
	p->env = (struct driver_env){.state_dir = options->state_dir,
				     .owner = p->owner,
				     .settings = options->settings,
				     .self = options->self};
	if (find_commits(p, err) < 0 || load_documents(p, err) < 0)
		return -1;
	judge_documents(p);
	if (oneshot_check_node(p->now.model, options->node, err) < 0)
		return -1;
	gather_refusals(p);
	make_plan(p);
	outcome->exit = outcome->refused_n		  ? EXIT_REFUSED
			: plan_has_changes(outcome->plan) ? EXIT_CHANGES
							  : EXIT_DONE;
	return 0;
}
