/*
 * core.h - what the parts of the engine share. Internal to engine/.
 *
 * Data flows one way through a pass:
 *
 *	trigger -> tip.c (fetch, resolve, load, judge) -> verdict.c -> documents in force
 *	        -> nodes.c (look) -> slots.c (decide, record, roll out; see work.h)
 *	        -> acts.c (children) -> look again
 *
 * Everything happens in one thread, in callbacks of the loop. What the ledger
 * must know is written in one transaction per turn, before the changes start.
 */
#ifndef TRUEUP_ENGINE_CORE_H
#define TRUEUP_ENGINE_CORE_H

#include "base/loop.h"
#include "base/map.h"
#include "engine/accept.h"
#include "engine/act.h"
#include "engine/backoff.h"
#include "engine/damper.h"
#include "engine/engine.h"
#include "engine/look.h"
#include "engine/memo.h"
#include "ledger/ledger.h"
#include "ledger/state.h"
#include "plan/slow_stop.h"
#include "source/repo.h"

/* The files of a commit by name, and the arenas that have its texts: see listing.c. */
struct listing {
	struct tree tree;
	struct oid commit;
	VEC(struct arena *) arenas; /* none: there is no listing */
};

struct node_stream;

enum tip_state { TIP_IDLE, TIP_FETCHING, TIP_LOADING };

/* The source side: which commit is in hand and which documents are in force. */
struct tip {
	enum tip_state state;
	uint64_t wanted, served; /* generations: a trigger bumps wanted */
	bool force;		 /* judge the tip again though it did not move (approve, reload) */
	struct oid seen;	 /* last tip that was judged */
	struct oid base;	 /* last tip of which anything was accepted */
	struct oid accepted;	 /* newest commit whose organization documents were accepted */
	struct oid loading;	 /* in hand now */
	int64_t began_us;	 /* boot time when it was looked for, fetched already */
	struct listing listing, next; /* of `files`, and of the commit in hand; listing.c */
	struct file_set files;
	struct accept_outcome outcome; /* in force; arena NULL: nothing yet */
	/* What the tip would remove; what approve binds. Lives in outcome.arena of the tip. */
	struct buf removals;
	struct job *job;
	struct job *keeping; /* keeping.c */
	bool keep_again;
	struct load *load;
	struct backoff backoff;
	struct loop_timer *timer; /* poll */
	struct err problem;	  /* why the last pass could not see a tip; E_NONE: it could */
	int64_t planning_us;	  /* began_us of the commit in force; 0: it is planned already */
	struct diag refusal; /* of the last tip as a whole; DIAG_NONE: it was judged by units */
	char refusal_text[ERR_TEXT_MAX];
};

struct engine;

struct tag_asking;

struct node_run {
	struct engine *engine;
	char *name;
	const struct node *doc; /* in the model in force */
	struct look *look;
	struct look_result *seen; /* the last look, until it has been worked on; else NULL */
	char *engine_name;	  /* what the last look that succeeded found there */
	uint64_t look_seq;	  /* of the look that runs or ran last */
	uint64_t seen_seq;	  /* of `seen` */
	bool look_wanted;
	int64_t calm_until; /* boot ms: while a change runs, a look is not wanted before */
	bool concerned;	    /* the commit in force waits for a look later than concerned_seq */
	uint64_t concerned_seq;
	/* What the watcher's driver says of its checks; arena NULL: nobody watches. */
	struct checked_list checked;
	struct arena *checked_arena;
	struct memo memo;
	bool reachable, ever_looked;
	struct err problem; /* E_NONE: none */
	struct backoff backoff;
	struct loop_timer *timer;
	int64_t timer_at; /* boot ms when it is due; 0: not set */
	int64_t seen_wall_ms;
	int acts;		 /* queued or running */
	bool upkeep_due;	 /* something ended here: images may be of no use any more */
	bool adopted;		 /* what its labels prove is in the ledger */
	uint64_t told;		 /* hash of what was last written to the ledger; 0: nothing */
	struct tag_asking *tags; /* tags.h; NULL: not yet */
	json_t *unclaimed; /* ours by its labels, but of no slot: left running; NULL: not known yet
			    */
};

/* Of the last change. On the heap: few slots have one, and all of them are kept. */
struct slot_failure {
	char step[128];
	struct err err;
};

/* An image that comes to its node just now; nothing of it is kept. */
struct slot_pull {
	char *image;
	int64_t since_ms; /* wall time of the first word of it */
	struct op_progress progress;
	int64_t say_at, say_in; /* boot ms of the next line of the log, ms between two of them */
};

/* Why a slot does nothing now. */
struct slot_wait {
	char reason[32];
	char detail[256];
	int64_t since; /* wall ms */
};

struct slot_run {
	char *id;	     /* "project/stage/deployment@node": its key in the map */
	bool busy;	     /* an act of it runs or is queued */
	uint64_t needs_look; /* looks older than this one do not show what it did */
	int64_t record;	     /* in progress and being tried, 0: none */
	int64_t deadline_at; /* boot ms; 0: not running */
	int64_t paused_at;   /* boot ms since when the deadline stands still; 0: it runs */
	struct backoff backoff;
	struct slot_failure *failure; /* not yet dealt with; NULL: none */
	char *last_error;	      /* why it is tried again; NULL: it is not */
	const char *last_reason;      /* the same in a word of status */
	bool awaits_image;	      /* the back-off is that of asking for an image */
	int64_t down_since; /* boot ms when what served was stopped to be replaced; 0: it was not */
	struct damper damper;	  /* of what is put right */
	struct slot_wait *wait;	  /* on the heap, as few slots have one; NULL: it does not wait */
	struct slot_wait *waited; /* until just now; it may go on. NULL: it did not */
	struct slot_pull *pull;	  /* likewise; NULL: none is under way */
	bool deletes_data;	  /* its manifest says dataPolicy: delete, and the ledger knows */
	bool drifting;
	int64_t drift_since; /* wall ms */
	bool finished;	     /* the record reached an end in this run of the program (for apply) */
	uint64_t told;	     /* hash of what was last written to the ledger; 0: nothing */
};

/* Changes that are written down and wait to be started. */
struct pending_group {
	struct slot_run *slot;
	struct arena *arena; /* owns the operations */
	struct op *ops;
	int64_t *steps; /* ledger ids of the intents */
	size_t ops_n;
};
struct pending_act {
	struct node_run *node;
	VEC(struct pending_group) groups;
};

struct engine {
	struct engine_options options;
	const struct settings *settings;
	struct loop *loop;
	struct state state;
	struct ledger *ledger;
	struct repo *repo;
	const char *url, *branch;
	bool remote;
	char owner[192];
	struct driver_env env;

	struct tip tip;
	struct map nodes; /* name -> struct node_run */
	struct map slots; /* id -> struct slot_run */

	struct arena *history_arena;
	struct history history;
	bool history_stale;
	bool in_transaction;
	struct err lost; /* ledger or state directory gone: begin anew; E_NONE: no */
	/*
	 * Why the ledger could not be read or written (a full disk); E_NONE: it can. Nothing new
	 * is begun until it can be written again. Then all is begun anew, because what was
	 * believed may not be what is written.
	 */
	struct err unwritten;
	struct backoff unwritten_backoff;
	struct loop_timer *unwritten_timer;
	bool adopting;	   /* the ledger is new: adopt what labels prove */
	bool orphans_wait; /* ... and orphans were found, which wait for approve */

	VEC(struct pending_act *) queue;   /* acts that wait for a free child */
	size_t children;		   /* looks and acts that run */
	VEC(struct node_stream *) streams; /* that somebody reads: streams.h */
	json_t *slow_stops;		   /* plan/slow_stop.h */
	json_t *moved_tags;		   /* plan/moved_tag.h */
	struct map rests;		   /* rest.h */
	struct map paused;		   /* scopes: "*", "project", "project/stage" */

	bool once; /* apply: leave when settled */
	bool stopping;
	int exit;
	void (*progress)(void *arg, const char *line);
	void *progress_arg;
};

/* ---- engine.c ---- */
int engine_open(struct engine *engine, const struct engine_options *options, const char *purpose,
		struct err *err);
void engine_close(struct engine *engine);
/* Nothing runs and nothing would change by waiting a little: apply may leave. */
bool engine_is_settled(struct engine *engine);

/* ---- books.c: what every part may ask of the ledger ---- */
/* A line for people and the log: what happened to which slot. */
void engine_say(struct engine *engine, const char *event, const char *subject, const char *detail);
/* Is the ledger still the one that was opened, and whole? If not, engine->lost says why. */
bool engine_stands(struct engine *engine);
/*
 * Says so. A ledger that is damaged is not used any longer; one that cannot be written now is tried
 * again and again, ever less often.
 */
void engine_ledger_failed(struct engine *engine, const struct err *err);
/* Begins the turn's transaction if none is open. */
int engine_write(struct engine *engine, struct err *err);
/* Commits it, if any. On failure everything believed is read again: engine->unwritten. */
int engine_commit(struct engine *engine);
/* The slow stops changed: they are written in this turn's transaction. */
void engine_keep_slow_stops(struct engine *engine);
/* The same for what tags mean by now. */
void engine_keep_moved_tags(struct engine *engine);
/* The history, read again if it is stale. NULL: the ledger cannot be read now. */
const struct history *engine_history(struct engine *engine);
bool engine_is_paused(const struct engine *engine, const char *project, const char *stage);

/* ---- tip.c ---- */
/* What was in force when the ledger was last written. */
int tip_restore(struct engine *engine, struct err *err);
/* A trigger: look at the branch soon. */
void tip_want(struct engine *engine);
void tip_release(struct engine *engine);
/* Milliseconds since then, as text. */
#define TIP_TOOK_MAX 24
const char *tip_took(int64_t began_us, char out[TIP_TOOK_MAX]);
/* A diag_reader over the tip's files; arg is the engine. */
int tip_read_file(void *arg, const char *path, struct buf *out);

/* ---- listing.c ---- */
/* Lists the commit in hand into tip->next, on top of tip->listing. */
int listing_make(struct engine *engine, struct err *err);
/* What was in hand is what `files` are of. */
void listing_adopt(struct tip *tip);
void listing_release(struct listing *listing);

/* ---- runs.c: what is remembered of nodes and slots while the program runs ---- */
/* May one child more be started? */
bool engine_has_room(const struct engine *engine);
struct node_run *node_find(struct engine *engine, const char *name);
void node_want_look(struct node_run *node);
/* Something happened there. */
void node_hear(struct node_run *node);
void node_forget_checked(struct node_run *node);
/* Look again after so long, if no earlier look is due. */
void node_look_in(struct node_run *node, int64_t delay_ms);
void nodes_want_look_all(struct engine *engine);
/* The slot's failure from now on; step is what was tried. */
void slot_fail(struct slot_run *run, const char *step, enum err_code code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* It was dealt with, or does not matter any more. */
void slot_forget_failure(struct slot_run *run);
struct slot_run *slot_run_of(struct engine *engine, const struct slot_key *key);
/* What is done for the node as a whole; its id is "@node". */
struct slot_run *slot_run_of_node(struct engine *engine, const char *node);
/* Does a container of the slot's node belong to it, by its labels? */
bool slot_has(const struct slot_key *key, const struct workload *seen);
void slots_release(struct engine *engine);

/* ---- acts.c: changes that wait and run ---- */
/* Its intents are written in this turn's transaction. Takes the act over. */
void acts_queue(struct engine *engine, struct pending_act *act);
/* The transaction failed: nothing of what waits may start. */
void acts_drop_all(struct engine *engine);
/* What is queued starts, as far as there is room. */
void acts_start(struct engine *engine);
void acts_release(struct engine *engine);
/* Its pull is over, if there is one. */
void slot_end_pull(struct slot_run *slot);

/* ---- nodes.c ---- */
/* After the documents in force changed: nodes come, go, and those concerned are looked at. */
void nodes_follow(struct engine *engine, const struct desired *before);
/* End of a turn: works on fresh looks, writes, starts what may start. */
void nodes_turn(struct engine *engine);
void nodes_release(struct engine *engine);

/* ---- slots.c ---- */
/* Works on every slot of a node that was just seen; queues acts. -1: the ledger failed. */
int slots_work(struct engine *engine, struct node_run *node, struct err *err);
/* The node cannot be seen: deadlines stand still. */
void slots_node_lost(struct engine *engine, struct node_run *node);

/* ---- report.c ---- */
/* Writes what status shows, where it differs from what was written last. */
int report_slot(struct engine *engine, struct slot_run *run, const struct slot_plan *plan,
		const struct observed *observed, struct err *err);
/* What runs there without a slot, as the plan of this look found it. */
void report_unclaimed(struct node_run *node, const struct plan *plan);
int report_node(struct engine *engine, struct node_run *node, struct err *err);

#endif
