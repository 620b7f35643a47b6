/*
 * engine.h - what commands ask of the engine: run, apply, plan, validate, and the control socket.
 *
 * All of them go the same way: commit -> files -> units -> model -> desired ->
 * look at nodes -> plan -> steps -> results -> ledger. `run` does it in a loop,
 * `apply` until it has settled once, `plan` up to the plan, `validate` up to the
 * model.
 */
#ifndef TRUEUP_ENGINE_ENGINE_H
#define TRUEUP_ENGINE_ENGINE_H

#include <jansson.h>

#include "base/err.h"
#include "plan/plan.h"
#include "schema/diag.h"

/* Everything resolved by the caller (flag > environment > .trueup > settings > default). */
struct engine_options {
	const struct settings *settings; /* never NULL; repo, branch, path, interval... in it */
	const char *config_path;	 /* file the settings came from, for SIGHUP; NULL: none */
	const char *state_dir;		 /* absolute */
	const char *instance;		 /* id to go on with if the state was lost; NULL: none */
	const char *self;		 /* absolute path of this binary */
	const char *revision;		 /* --rev; NULL: the branch */
	const char *base;		 /* plan --base; NULL: what is accepted */
	const char *node;		 /* only this node; NULL: all */
	bool offline;			 /* plan: do not look at nodes or registries */
	/* Reads the settings again for SIGHUP; NULL where there is no file. */
	const struct settings *(*reload)(void *arg, struct err *err);
	void *reload_arg;
};

/* The daemon. Returns when told to stop: exit code. */
int engine_run(const struct engine_options *options, struct err *err);

/* How one pass ended. All in arena. */
struct engine_outcome {
	struct arena *arena;
	struct plan *plan;    /* plan: what would be done; apply: what was left to do at the end */
	json_t *done;	      /* apply: [{deployment,node,version,status,error}], new reference */
	struct diag *refused; /* with excerpts */
	size_t refused_n;
	int exit; /* refused or held 65, then failed 3, changes 2, 0 */
	/* What the plan borrows from; engine_outcome_release lets it go. */
	void *held;
	void (*release)(void *held);
};
void engine_outcome_release(struct engine_outcome *outcome);

/* One pass, then out: until every slot is settled (successful, failed, held or waiting for
 * something that this pass cannot bring). progress (may be NULL) gets a line for people on each
 * event. */
int engine_apply(const struct engine_options *options,
		 void (*progress)(void *arg, const char *line), void *arg,
		 struct engine_outcome *outcome, struct err *err);
/* Changes nothing, creates nothing, waits for nobody's pass. */
int engine_plan(const struct engine_options *options, struct engine_outcome *outcome,
		struct err *err);
/* The author's door: a configuration in a folder on disk, or in a commit. */
struct engine_source {
	const char *folder;		    /* or NULL */
	const char *repo, *revision, *path; /* revision NULL: HEAD; path NULL: all of it */
	const struct settings *settings;    /* for limits; NULL: the defaults */
};
/* policy_checked tells whether settings were given. Diagnostics come sorted and with excerpts. */
struct engine_validate {
	struct engine_source source;
	bool with_policy;
};
int engine_validate(const struct engine_validate *what, struct diags *diags, size_t *files,
		    size_t *documents, struct err *err);
/*
 * What a deployment (a name, or project/stage/name) gives each of its containers on each node, with
 * the file, line and column that every field comes from:
 * {"project","stage","deployment","slots":[{"node","containers":[{"name","image","fields":
 * [{"field","value","file","line","column"}]}]}]}. *out is the caller's. errors: how many problems
 * the configuration has. E_NOT_FOUND, E_AMBIGUOUS.
 */
int engine_merged(const struct engine_source *source, const char *name, json_t **out,
		  size_t *errors, struct err *err);

/* ---- a configuration to begin with ---- */

struct engine_init_file {
	const char *path, *text;
};
/* What engine_init writes; ends with path NULL. */
extern const struct engine_init_file engine_init_files[];
/*
 * Writes a small configuration into a folder that is empty or not there yet, and makes it a Git
 * repository unless it is inside of one (*git: was it made?). On failure the folder is as before.
 * E_CONFLICT when something is in it, E_NOT_FOUND without a folder above it, E_IO.
 */
int engine_init(const char *folder, bool *git, struct err *err);

/* ---- a Compose file as manifests ---- */

struct engine_import {
	const char *file;	     /* the Compose file; all of its folder is looked at */
	const char *project, *stage; /* which are made where they are not there */
	const char *node;	     /* NULL: the configuration's only one */
	const char *out;	     /* the configuration's folder */
};
struct engine_imported {
	const char *paths[4]; /* that were written, from `out` */
	size_t paths_n;
	size_t containers;
};
/*
 * Writes a product and its deployment (schema/import.h), and the project and stage where they are
 * missing. What could not be carried over, or not as it was, goes to diags. Nothing is written when
 * no container came of it (out->containers is 0), when one of the two files is there already
 * (E_CONFLICT), or when the node is not clear (E_USAGE). Texts in arena.
 */
int engine_import(const struct engine_import *what, struct arena *arena,
		  struct engine_imported *out, struct diags *diags, struct err *err);

/* ---- the control socket, client's side ---- */

/*
 * One request, one answer: {"v":1,"op":op,"args":args} -> {"ok":true,"result":...} or
 * {"ok":false,"exit":N,"diagnostics":[...]}.
 *
 *   op        args                                   result
 *   ping      {}                                     {"pid":N,"version":"...","repo":"..."}
 *   sync      {"wait":bool,"timeout_ms":N}           {"commit":"...","synced":bool,"exit":N}
 *   retry     {"deployment":"name, p/s/name or record id","node":null}  {"records":[ids]}
 *   approve   {"commit":"...","actor":"..."}         {"commit":"...","removals":[...]}
 *   pause     {"scope":"project[/stage]"|"*","actor":"..."}  {"paused":[...]}  resume likewise
 *   pulls     {}                                     {"pulls":{"project/stage/deployment@node":
 *              {"image","layers","layersDone","bytes","total","since"}}}: images that come now
 *
 *   log       {"deployment","project","stage","node": optional; "lines":N,"after_ms":N,
 *              "follow":bool}                        {} after many values (control_stream):
 *              {"containers":[{"name","node"}]}, {"note":"..."}, and for each line
 *              {"deployment":"p/s/d","node","container","at":"..."|null,"stream","line"}
 *   ps        {"deployment","project","stage","node": optional}    {} after a value each:
 *              {"deployment","node","container","state","health","since","restarts","exitCode",
 *              "image","digest","detail"}
 *   node      {"node"}                               {} after {"engine","endpoint","owner",
 *              "containers":[as of ps],"volumes","images","foreign": names}
 *
 * With "wait":true every operation answers like sync, after the pass; its exit is the one of apply:
 * 3 when a deployment failed, 65 when something is refused, 66 or 69 when the repository cannot be
 * read.
 *
 * E_NO_DAEMON when nobody answers. timeout_ms bounds the wait for the answer. *exit gets the
 * answer's exit code (0 for ok); *answer is `result`, or `diagnostics`; new reference.
 */
int control_call(const char *state_dir, const char *op, json_t *args, int64_t timeout_ms,
		 json_t **answer, int *exit, struct err *err);
/*
 * For an operation that answers with many values ("log"): take gets each, and returns -1 when it
 * wants no more; then, or with the answer at the end, it is over. So it is when nobody reads what
 * is written to `out` any more (-1: that is not asked). E_NO_DAEMON also when it ends without an
 * answer.
 */
int control_stream(const char *state_dir, const char *op, json_t *args,
		   int (*take)(void *arg, const json_t *value), void *arg, int out, json_t **answer,
		   int *exit, struct err *err);

/*
 * What the daemon writes for status (ledger_put_slot, ledger_put_node):
 *   slot  {"wanted":{"id","version","status","reason","error","step"}|null,
 *          "waiting":{"reason","detail","since"}|null,"health":"healthy|degraded|down|unknown",
 *          "containers":[{"name","image","digest","state","health"}],
 *          "drift":[{"container","field","wanted","found","since"}],
 *         "tags":[{"container","image","from","to","since","hint"}]}
 *   node  {"driver","engine","reachable":bool,"seenAt":"...","error":null|"..."}
 */

#endif
