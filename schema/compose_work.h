/*
 * compose_work.h - inside of compose*.c: what the parts of the reading share.
 *
 *	load (interpolated, <<, include) -> services -> extends -> profiles -> order -> image trees
 *
 * Trees are never changed once made: what differs is a new node that shares what does not. Each
 * node knows the source that it stands in, so that a value that came through extends is shown, and
 * its relative paths are looked up, where it was written.
 */
#ifndef TRUEUP_SCHEMA_COMPOSE_WORK_H
#define TRUEUP_SCHEMA_COMPOSE_WORK_H

#include "base/map.h"
#include "schema/compose.h"
#include "schema/doc.h"

#define COMPOSE_TEXT_MAX ((size_t)1 << 20) /* bytes of all Compose files and env files together */
#define COMPOSE_CAPABILITIES_MAX 100
#define COMPOSE_FILLED_MAX ((size_t)1 << 20) /* bytes that interpolation may make */

/* Variables; those of an including file come before its own. */
struct compose_env {
	struct map vars; /* name -> text in the arena */
	const struct compose_env *above;
};

/* One reading of one file: the same file may be read again with other variables. */
struct compose_source {
	const char *name; /* relative to the folder */
	const char *path; /* from the root of the configuration, for messages */
	const char
		*base; /* where its relative paths begin, relative to the folder; "": the folder */
	struct compose_env *env; /* for interpolation */
};

enum compose_kind {
	COMPOSE_VOLUMES,
	COMPOSE_CONFIGS,
	COMPOSE_SECRETS,
	COMPOSE_NETWORKS,
	COMPOSE_KINDS
};

struct compose_work {
	const struct compose_folder *folder;
	const struct compose_names *names;
	struct arena *arena;
	const struct unit *unit;
	struct diags *diags;
	struct compose_source sources[COMPOSE_FILES_MAX];
	size_t sources_n;
	struct compose_env envs[COMPOSE_FILES_MAX + 1];
	size_t envs_n;
	size_t text, filled, nodes, mounted; /* how much of each limit is used up */
	bool full;			     /* a limit was passed, and that was said */
	struct map unset;    /* variables of which a note says that they are not set */
	struct map services; /* name -> struct compose_service */
	struct map resources[COMPOSE_KINDS]; /* name -> const struct doc_pair */
	struct map folders;   /* name of a volume -> the path or volume that it stands for */
	struct map extended;  /* name of a file -> its services, as a node */
	struct map circles;   /* addresses of services that extend themselves, once that was said */
	struct map env_files; /* name of a file, and how it is read -> what it says, as a node */
};

/* ---- messages; each takes the place of a node ---- */

const char *compose_path(const struct compose_work *work, const struct doc_node *node);
struct diag *compose_error(struct compose_work *work, enum diag_code code,
			   const struct doc_node *node, const char *fmt, ...) PRINTF_LIKE(4, 5);
struct diag *compose_note(struct compose_work *work, enum diag_code code,
			  const struct doc_node *node, const char *fmt, ...) PRINTF_LIKE(4, 5);
const char *compose_text(struct compose_work *work, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Adds `n` to *used; past `max` says so once, at the node, and is false from then on. */
bool compose_spend(struct compose_work *work, size_t *used, size_t n, size_t max,
		   const struct doc_node *node, const char *what);

/* ---- nodes (compose_node.c) ---- */

/* A text that stands where `like` does. */
struct doc_node *compose_scalar(struct compose_work *work, const struct doc_node *like,
				const char *text);
/* The same, but a number or true and false where it looks like one. */
struct doc_node *compose_plain(struct compose_work *work, const struct doc_node *like,
			       const char *text);
/* A number may stand in quotes, or come from a variable. */
const struct doc_node *compose_number(struct compose_work *work, const struct doc_node *value);
/* What stands where something was reported: it is not worth a second problem. */
struct doc_node *compose_wrong(struct compose_work *work, const struct doc_node *like);
struct doc_node *compose_list(struct compose_work *work, const struct doc_node *like,
			      const struct doc_node *const *items, size_t n);

/* A mapping that grows: put keeps the place of the key that it came from. */
struct compose_build {
	struct doc_pair *v;
	size_t n, cap;
};
void compose_put(struct compose_work *work, struct compose_build *build, const char *key,
		 const struct doc_node *at, const struct doc_node *value);
/* A pair as it stands. */
void compose_put_pair(struct compose_build *build, const struct doc_pair *pair);
void compose_dropped(struct compose_build *build);
/* The mapping; `like` is where it stands. The build is empty again. */
struct doc_node *compose_built(struct compose_work *work, struct compose_build *build,
			       const struct doc_node *like);

/* The value of a key; NULL when it is absent or null. */
const struct doc_node *compose_value(const struct doc_node *mapping, const char *key);
/* What a value must be; reports and is false or NULL. key: for the message. */
const char *compose_as_text(struct compose_work *work, const struct doc_node *value,
			    const char *key);
/* The same of the value of a key; NULL when there is none, too. */
const char *compose_text_of(struct compose_work *work, const struct doc_node *mapping,
			    const char *key);
bool compose_as_bool(struct compose_work *work, const struct doc_node *value, const char *key,
		     bool *out);
bool compose_is(struct compose_work *work, const struct doc_node *value, enum doc_type type,
		const char *key);
/* One text or a list of texts as a list; wrong entries are reported and left out. */
const struct doc_node *compose_as_list(struct compose_work *work, const struct doc_node *value,
				       const char *key);
/* A list of KEY=VALUE, or of names (pairs false), as a mapping; mappings stay as they are. */
const struct doc_node *compose_as_mapping(struct compose_work *work, const struct doc_node *value,
					  const char *key, bool pairs);

/* ---- keys (compose_keys.c, from compose.def) ---- */

enum compose_section {
#define SECTION(name, path, title) COMPOSE_##name,
#define KEY(section, key, fate, merge, text)
#include "schema/compose.def"
#undef SECTION
#undef KEY
	COMPOSE_SECTIONS,
};
enum compose_merge { MERGE_WHOLE, MERGE_DEEP, MERGE_PAIRS, MERGE_NAMES, MERGE_TARGETS };
struct compose_key {
	enum compose_section section;
	const char *key;
	enum diag_code code; /* DIAG_NONE: carried; DIAG_COMPOSE_IGNORED; else refused with it */
	enum compose_merge merge;
	const char *text;
};
struct compose_section_row {
	const char *path, *title;
};
extern const struct compose_key compose_keys[];
extern const size_t compose_keys_n;
extern const struct compose_section_row compose_sections[COMPOSE_SECTIONS];

const struct compose_key *compose_key_find(enum compose_section section, const char *key);
/*
 * Is it a mapping (null counts as an empty one), and does it have only keys that are known? Reports
 * unknown, refused and ignored ones. The mapping, or NULL when there is nothing to read in it.
 */
const struct doc_node *compose_section(struct compose_work *work, enum compose_section section,
				       const struct doc_node *value, const char *key);

/* ---- variables (compose_fill.c, compose_env.c) ---- */

/* Where a text stands, for messages about what is in it. */
struct compose_place {
	const char *path;
	struct loc at;
};

const char *compose_env_get(const struct compose_env *env, const char *name);
/* The text with its variables filled in, or text itself where it has none; NULL after a report. */
const char *compose_fill(struct compose_work *work, const char *text, const struct compose_env *env,
			 const struct compose_place *place);
/*
 * Reads an env file and calls `use` for each name in it, with NULL as value where it only stands
 * there. env: what values may refer to, besides those before them. raw: values are taken as they
 * stand. Problems are shown in that file; `at` is who names it.
 */
typedef void compose_env_use(void *arg, const char *name, const char *value, struct loc at);
void compose_env_read(struct compose_work *work, const struct compose_file *file, bool raw,
		      const struct compose_env *env, const struct doc_node *at,
		      compose_env_use *use, void *arg);
/* A new set of variables, to which those of a file (NULL: none) are added; NULL: too many files. */
struct compose_env *compose_env_new(struct compose_work *work, const struct compose_env *above);
void compose_env_add(struct compose_work *work, struct compose_env *env,
		     const struct compose_file *file, const struct doc_node *at);

/* ---- files (compose_paths.c) ---- */

/* From the root of the configuration, for messages. */
const char *compose_full_path(struct compose_work *work, const char *name);
/*
 * The path in the folder that `path` means, seen from a base: "" is the folder. NULL when it leads
 * out of it, which is not reported.
 */
const char *compose_resolve(struct compose_work *work, const char *base, const char *path);
/* Says that a path leads out of the folder; hint NULL: none. */
void compose_outside(struct compose_work *work, const struct doc_node *value, const char *text,
		     const char *hint);
/* The folder that a file of this name is in; "": the Compose file's own. */
const char *compose_folder_of(struct compose_work *work, const char *name);
/* NULL when there is none of that name. */
const struct compose_file *compose_file_find(const struct compose_folder *folder, const char *name);
/* The first file below a folder of that name, and how many there are. */
const struct compose_file *compose_files_below(const struct compose_folder *folder,
					       const char *name, size_t *n);
/*
 * The file that a value of a Compose file names. Reports one that is outside, or (unless
 * `optional`) that is not there, and gives NULL.
 */
const struct compose_file *compose_named_file(struct compose_work *work,
					      const struct doc_node *value, const char *text,
					      bool optional);

/* ---- steps ---- */

struct compose_service {
	const char *name;
	const struct doc_node *key;   /* its name in the file */
	const struct doc_node *value; /* what it says, extends included, once that is done */
	enum { ORDER_NOT_YET, ORDER_NOW, ORDER_DONE } ordered;
	bool active; /* by its profiles */
	bool job;    /* others wait until it has completed */
};

/* compose_load.c: the Compose file and what it includes, into services and resources. */
void compose_load(struct compose_work *work, const char *file);
/* One file, all its documents, its variables filled in; NULL after a report at `at`. */
const struct doc_node *compose_load_file(struct compose_work *work, const struct compose_file *file,
					 const char *base, struct compose_env *env,
					 const struct doc_node *at);
/* compose_merge.c: one value over another one. */
const struct doc_node *compose_lay(struct compose_work *work, enum compose_section section,
				   const struct doc_node *weak, const struct doc_node *strong);
/* compose_extends.c: makes each service whole. */
void compose_extend_all(struct compose_work *work);
/* compose_order.c: the active ones in order of start, *n of them. */
struct compose_service **compose_order(struct compose_work *work, size_t *n);
/* compose_service.c: the tree of one image, as it would be written by hand. */
const struct doc_node *compose_image(struct compose_work *work,
				     const struct compose_service *service);
/* Parts of it, each in a file of its own. */
void compose_service_env(struct compose_work *work, const struct doc_node *service,
			 struct compose_build *config);
void compose_service_labels(struct compose_work *work, const struct doc_node *service,
			    struct compose_build *config);
void compose_service_health(struct compose_work *work, const struct doc_node *service,
			    struct compose_build *config);
void compose_service_limits(struct compose_work *work, const struct doc_node *service,
			    const struct doc_node *deploy, struct compose_build *config);
void compose_service_ports(struct compose_work *work, const struct doc_node *service,
			   struct compose_build *config);
void compose_service_mounts(struct compose_work *work, const struct compose_service *service,
			    struct compose_build *config);

/* ---- values (compose_values.c); one that is wrong is reported, and marked so ---- */

/* A text split into words as a shell does, into a list. */
const struct doc_node *compose_words(struct compose_work *work, const struct doc_node *value,
				     const char *key);
/* "1m30s", "2.5h", "100us" of Compose as a duration of a manifest. */
const struct doc_node *compose_duration(struct compose_work *work, const struct doc_node *value,
					const char *key);
/* "512m", "1.5gb", 1024 as a size of a manifest. */
const struct doc_node *compose_size(struct compose_work *work, const struct doc_node *value,
				    const char *key);

/* "0.5" as processors of a manifest. */
const struct doc_node *compose_cpus(struct compose_work *work, const struct doc_node *value,
				    const char *key);

#endif
