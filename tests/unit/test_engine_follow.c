/*
 * What a commit gives does not depend on how it was come to: hundreds of random commits, followed
 * one after the other as the daemon does, and each read and judged anew. The listing, the files,
 * the model, the slots and the verdict must be the same, texts of all diagnostics included.
 */
#include "tests/support/test.h"
#include "tests/support/shell.h"

#include "base/fs.h"
#include "engine/accept.h"
#include "engine/readers.h"
#include "schema/decode.h"
#include "source/tree.h"
#include "source/whole.h"

#define COMMITS 1000
#define PATHS_MAX 112

/* ---- a configuration that grows at random ---- */

struct entry {
	char path[96];
	char text[512];
};
struct config {
	struct entry entries[PATHS_MAX];
	size_t n;
};

static uint32_t dice(uint32_t *seed, uint32_t sides)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % sides;
}

static size_t find(const struct config *config, const char *path)
{
	size_t i = 0;

	while (i < config->n && !str_eq(config->entries[i].path, path))
		i++;
	return i;
}

static void drop(struct config *config, size_t i)
{
	if (i < config->n)
		config->entries[i] = config->entries[--config->n];
}

PRINTF_LIKE(3, 4)
static void put(struct config *config, const char *path, const char *fmt, ...)
{
	size_t i = find(config, path);
	va_list args;

	if (i == PATHS_MAX)
		return;
	config->n += i == config->n;
	snprintf(config->entries[i].path, sizeof config->entries[i].path, "%s", path);
	va_start(args, fmt);
	vsnprintf(config->entries[i].text, sizeof config->entries[i].text, fmt, args);
	va_end(args);
}

static void begin(struct config *config)
{
	static const char *const projects[] = {"shop", "blog"};
	static const char *const stages[] = {"prod", "test"};
	char path[96];

	put(config, "organization.yaml", "kind: Organization\nname: acme\n");
	put(config, "registries/main.yaml",
	    "kind: Registry\nname: main\ntype: v2\nurl: reg.example.org:5000\n");
	for (int i = 1; i <= 3; i++) {
		snprintf(path, sizeof path, "nodes/n%d.yaml", i);
		put(config, path, "kind: Node\nname: n%d\ndriver: memory\n", i);
	}
	for (size_t p = 0; p < ARRAY_LEN(projects); p++) {
		snprintf(path, sizeof path, "projects/%s/project.yaml", projects[p]);
		put(config, path, "kind: Project\nname: %s\n", projects[p]);
		snprintf(path, sizeof path, "projects/%s/products/web.yaml", projects[p]);
		put(config, path, "kind: Product\nname: web\ntype: complex\n");
		snprintf(path, sizeof path, "projects/%s/products/db.yaml", projects[p]);
		put(config, path, "kind: Product\nname: db\ntype: complex\n");
		for (int i = 1; i <= 3; i++) {
			snprintf(path, sizeof path, "projects/%s/versions/db%d.yaml", projects[p],
				 i);
			put(config, path,
			    "kind: Version\nproduct: db\nname: \"%d\"\ntype: rolling\n"
			    "images: [{name: db, image: local/db:%d}]\n",
			    i, i);
		}
		snprintf(path, sizeof path, "projects/%s/versions/v1.yaml", projects[p]);
		put(config, path,
		    "kind: Version\nproduct: web\nname: \"1\"\ntype: incremental\n"
		    "requires: {db: \">= 2\"}\nimages:\n"
		    "  - {name: web, image: local/web:1}\n");
		for (size_t s = 0; s < ARRAY_LEN(stages); s++) {
			snprintf(path, sizeof path, "projects/%s/stages/%s/stage.yaml", projects[p],
				 stages[s]);
			put(config, path, "kind: Stage\nname: %s\nnodes: [n1]\n", stages[s]);
			snprintf(path, sizeof path, "projects/%s/stages/%s/db1.yaml", projects[p],
				 stages[s]);
			put(config, path,
			    "kind: Deployment\nname: db1\nproduct: db\nversion: \"2\"\n"
			    "node: n1\nprefix: db-%c-%c\n",
			    projects[p][0], stages[s][0]);
		}
	}
}

static const char *some_project(uint32_t *seed)
{
	return dice(seed, 3) ? "shop" : "blog";
}

static const char *some_stage(uint32_t *seed)
{
	return dice(seed, 3) ? "prod" : "test";
}

/* What the random versions require: mostly nothing, and now and then too much, or each other. */
static void add_requirement(uint32_t *seed, const char *product, char line[64])
{
	static const char *const ranges[] = {">= 1", "< 4", "2", ">= 2, < 9"};
	bool web = str_eq(product, "web");

	line[0] = '\0';
	if (dice(seed, web ? 2 : 6) == 0)
		snprintf(line, 64, "requires: {%s: \"%s\"}\n",
			 dice(seed, 30) ? (web ? "db" : "web") : "dbs", ranges[dice(seed, 4)]);
}

/* Where an image is had: mostly the node itself, now and then a Registry, by its name or address.
 */
static const char *some_source(uint32_t *seed)
{
	static const char *const sources[] = {"main/team", "reg.example.org:5000/team",
					      "other/a/b"};

	return dice(seed, 4) ? "local" : sources[dice(seed, ARRAY_LEN(sources))];
}

/* The product that others require: a version, or where it is deployed. */
static void edit_provider(struct config *config, uint32_t *seed)
{
	uint32_t number = 1 + dice(seed, 4);
	const char *project = some_project(seed), *stage = some_stage(seed);
	char path[96], line[64] = "";

	if (dice(seed, 3)) {
		if (dice(seed, 3) == 0)
			snprintf(line, sizeof line, "dependsOn: [d%u]\n", 1 + dice(seed, 4));
		snprintf(path, sizeof path, "projects/%s/stages/%s/db%u.yaml", project, stage,
			 dice(seed, 8) ? 1U : 2U);
		if (dice(seed, 9) == 0)
			drop(config, find(config, path));
		else
			put(config, path,
			    "kind: Deployment\nname: db%c\nproduct: db\nversion: \"%u\"\n"
			    "node: n%u\nprefix: db-%c-%c\n%s",
			    path[strlen(path) - 6], number, 1 + dice(seed, 3), project[0], stage[0],
			    line);
		return;
	}
	snprintf(path, sizeof path, "projects/%s/versions/db%u.yaml", project, number);
	add_requirement(seed, "db", line);
	put(config, path,
	    "kind: Version\nproduct: db\nname: \"%u\"\ntype: rolling\n%s"
	    "images: [{name: db, image: \"%s/db:%u\"}]\n",
	    number, line, some_source(seed), number);
}

/* Mostly the next of the chain; now and then one that forks it, goes in circles or is alone. */
static void edit_version(struct config *config, uint32_t *seed)
{
	uint32_t number = 1 + dice(seed, 7), parent = number - 1;
	const char *project = some_project(seed);
	char path[96], line[64] = "", requires[64];

	add_requirement(seed, "web", requires);
	snprintf(path, sizeof path, "projects/%s/versions/v%u.yaml", project, number);
	if (dice(seed, 4) == 0) {
		drop(config, find(config, path));
		return;
	}
	if (dice(seed, 4) == 0)
		parent = dice(seed, 8);
	if (parent)
		snprintf(line, sizeof line, "parent: \"%u\"\n", parent);
	put(config, path,
	    "kind: Version\nproduct: %s\nname: \"%u\"\ntype: %s\n%s%simages:\n"
	    "  - {name: %s, image: local/web:%u, config: {env: {N: \"%u\"}}}\n",
	    dice(seed, 20) ? "web" : "wab", number, dice(seed, 9) ? "incremental" : "rolling", line,
	    requires, dice(seed, 6) ? "web" : "app", number, dice(seed, 3));
}

static void edit_deployment(struct config *config, uint32_t *seed)
{
	uint32_t number = 1 + dice(seed, 4);
	const char *project = some_project(seed), *stage = some_stage(seed);
	char path[96], more[160] = "", prefix[32];

	snprintf(path, sizeof path, "projects/%s/stages/%s/d%u.yaml", project, stage, number);
	if (dice(seed, 6) == 0) {
		drop(config, find(config, path));
		return;
	}
	if (dice(seed, 2))
		snprintf(more, sizeof more, "dependsOn: [%s%u]\n", dice(seed, 5) ? "d" : "st",
			 1 + dice(seed, 4) % 4);
	else if (dice(seed, 3) == 0)
		snprintf(more, sizeof more, "instances: {web: {config: {env: {I: \"%u\"}}}}\n",
			 dice(seed, 3));
	else if (dice(seed, 2) == 0)
		snprintf(more, sizeof more, "bundles: [b%u, c%u]\n", dice(seed, 3), dice(seed, 3));
	snprintf(prefix, sizeof prefix, "%c-%c-%u", project[0], stage[0], number);
	put(config, path,
	    "kind: Deployment\nname: d%u\nproduct: web\nversion: \"%u\"\nnode: n%u\nprefix: %s\n%s",
	    dice(seed, 15) ? number : number + 1, 1 + dice(seed, dice(seed, 5) ? 2 : 7),
	    1 + dice(seed, dice(seed, 9) ? 3 : 4), dice(seed, 9) ? prefix : "same", more);
}

/* b0 to b2 are the organization's, c0 to c2 a project's; now and then the other way round. */
static void edit_bundle(struct config *config, uint32_t *seed)
{
	uint32_t number = dice(seed, 3);
	bool shared = dice(seed, 2);
	char path[96];

	snprintf(path, sizeof path, shared ? "bundles/%u.yaml" : "projects/shop/bundles/%u.yaml",
		 number);
	if (dice(seed, 5) == 0) {
		drop(config, find(config, path));
		return;
	}
	put(config, path,
	    "kind: ConfigBundle\nname: %c%u\nconfig: {env: {B: \"%u\", N%u: \"1\"}}\n",
	    shared == (dice(seed, 12) != 0) ? 'b' : 'c', number, dice(seed, 2), number);
}

static void edit_registry(struct config *config, uint32_t *seed)
{
	if (dice(seed, 4) == 0) {
		drop(config, find(config, "registries/main.yaml"));
		return;
	}
	put(config, "registries/main.yaml",
	    "kind: Registry\nname: %s\ntype: v2\nurl: reg.example.org%s\n",
	    dice(seed, 4) ? "main" : "other", dice(seed, 4) ? ":5000" : "");
}

/* s0 to s2, of a type that links get a URL or a volume of. */
static void edit_service(struct config *config, uint32_t *seed)
{
	static const char *const types[] = {
		"redis", "volume", "custom\noptions: {image: local/a:1, url: \"http://{host}\"}"};
	const char *project = some_project(seed), *stage = some_stage(seed);
	uint32_t number = dice(seed, 3);
	char path[96];

	snprintf(path, sizeof path, "projects/%s/stages/%s/s%u.yaml", project, stage, number);
	if (dice(seed, 6) == 0)
		drop(config, find(config, path));
	else
		put(config, path, "kind: Service\nname: s%u\ntype: %s\n", number,
		    types[dice(seed, 4) ? number : dice(seed, 3)]);
}

static void edit_app(struct config *config, uint32_t *seed)
{
	const char *project = some_project(seed), *stage = some_stage(seed);
	uint32_t number = dice(seed, 3), link = dice(seed, 3);
	char path[96], more[96] = "";

	snprintf(path, sizeof path, "projects/%s/stages/%s/a%u.yaml", project, stage, number);
	if (dice(seed, 6) == 0) {
		drop(config, find(config, path));
		return;
	}
	if (dice(seed, 2))
		snprintf(more, sizeof more, "links: {s%u: {%s}}\n", link,
			 link == 1 ? "path: /a" : "envKey: A");
	else if (dice(seed, 2))
		snprintf(more, sizeof more, "network: {ports: [80]}\ndomains: {d%u.org: {}}\n",
			 dice(seed, 2));
	put(config, path, "kind: App\nname: %s%u\nimage: local/a:%u\n%s",
	    dice(seed, 12) ? "a" : "d", number, 1 + dice(seed, 2), more);
}

/* ---- folders with a Compose file ---- */

/* Where one may stand: stacks, and what a Product names. Each has a port of the node of its own. */
static const struct {
	const char *folder;
	uint32_t port;
} wholes[] = {
	{"projects/shop/stages/prod/st2", 8000},
	{"projects/shop/stages/prod/st1", 8100},
	{"projects/shop/stages/test/st2", 8200},
	{"projects/shop/versions/c", 8300},
};

static const char *below(char path[96], const char *folder, const char *name)
{
	snprintf(path, 96, "%s/%s", folder, name);
	return path;
}

/* Services that take something of the files beside it; now and then of one that is not there. */
static void put_compose(struct config *config, uint32_t *seed, const char *folder, const char *name,
			const char *service)
{
	static const char *const parts[] = {
		"    env_file: [{path: web.env, required: false}]\n",
		"    extends: {file: base.yaml, service: base}\n",
		"    volumes: [\"./conf:/conf:ro\", \"./data:/data\"]\n",
		"    ports: [\"${PORT}:80\"]\n",
		"    depends_on: {job: {condition: service_completed_successfully}}\n",
	};
	char path[96], text[400] = "";
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (dice(seed, 3))
			len += (size_t)snprintf(text + len, sizeof text - len, "%s", parts[i]);
	}
	put(config, below(path, folder, name),
	    "%sservices:\n  job: {image: \"local/job:${TAG:-1}\"}\n"
	    "  dbg: {image: \"local/dbg:1\", profiles: [x]}\n"
	    "  %s:\n    image: \"local/web:%u\"\n%s",
	    dice(seed, 3) ? "include: [more.yaml]\n" : "", service, 1 + dice(seed, 3), text);
}

/* What the deployment of a stack says about it; now and then too much. */
static void put_beside(struct config *config, uint32_t *seed, const char *folder)
{
	static const char *const more[] = {
		"config: {env: {D: \"%u\"}}\n",
		"nodes: [n%u, n1]\n",
		"instances: {web: {config: {env: {I: \"%u\"}}}}\n",
		"instances: {dbg: {config: {env: {I: \"%u\"}}}}\n",
		"bundles: [b%u]\n",
		"dependsOn: [d%u]\n",
		"note: \"%u\"\n",
		"product: db\nversion: \"%u\"\n",
	};
	const char *pattern = more[dice(seed, ARRAY_LEN(more))];
	char path[96], text[96];
	size_t at = strcspn(pattern, "%");

	snprintf(text, sizeof text, "%.*s%u%s", (int)at, pattern, 1 + dice(seed, 3),
		 pattern + at + 2);
	put(config, below(path, folder, "deployment.yaml"), "kind: Deployment\nname: %s\n%s",
	    dice(seed, 12) ? folder + strlen(folder) - 3 : "x", text);
}

static void edit_beside(struct config *config, uint32_t *seed, const char *folder, uint32_t port)
{
	uint32_t number = dice(seed, 3);
	char path[96];

	switch (dice(seed, 9)) {
	case 0:
		put(config, below(path, folder, ".env"), "TAG=%u\nPORT=%u\n%s", number,
		    port + number, number ? "" : "COMPOSE_PROFILES=x\n");
		break;
	case 1:
		put(config, below(path, folder, "web.env"), "E=%u\n", number);
		break;
	case 2:
		put(config, below(path, folder, "base.yaml"),
		    "services: {base: {labels: {l: \"%u\"}}}\n", number);
		break;
	case 3:
		put(config, below(path, folder, "more.yaml"),
		    "services: {more: {image: \"local/more:%u\"}}\n", number);
		break;
	case 4:
		put(config, below(path, folder, "conf/a.yaml"), "a: %u\n", number);
		break;
	case 5:
		put(config, below(path, folder, "data/seed.txt"), "seed %u\n", number);
		break;
	case 6: /* a manifest, as long as there is no Compose file beside it */
		put(config, below(path, folder, "s9.yaml"),
		    "kind: Service\nname: s9\ntype: redis\n");
		break;
	default:
		put_beside(config, seed, folder);
	}
}

static void begin_whole(struct config *config, uint32_t *seed, size_t i)
{
	const char *folder = wholes[i].folder;
	char path[96];

	put(config, below(path, folder, ".env"), "PORT=%u\n", wholes[i].port);
	put(config, below(path, folder, "base.yaml"), "services: {base: {tty: true}}\n");
	put(config, below(path, folder, "more.yaml"),
	    "services: {more: {image: \"local/more:1\"}}\n");
	put_compose(config, seed, folder, "compose.yaml", "web");
	if (strstr(folder, "/stages/"))
		put(config, below(path, folder, "deployment.yaml"),
		    "kind: Deployment\nname: %s\ninstances: {web: {config: {tty: true}}}\n",
		    folder + strlen(folder) - 3);
	else
		put(config, "projects/shop/versions/composed.yaml",
		    "kind: Product\nname: composed\ntype: simple\ncompose: c/compose.yaml\n");
}

static size_t some_below(const struct config *config, uint32_t *seed, const char *folder)
{
	size_t start = dice(seed, (uint32_t)config->n);

	for (size_t i = 0; i < config->n; i++) {
		size_t at = (start + i) % config->n;

		if (str_starts(config->entries[at].path, folder))
			return at;
	}
	return config->n;
}

static void drop_below(struct config *config, uint32_t *seed, const char *folder)
{
	size_t at;

	while ((at = some_below(config, seed, folder)) < config->n)
		drop(config, at);
}

/* All of it comes or goes, or its Compose file does, or takes another name. */
static void edit_whole(struct config *config, uint32_t *seed)
{
	size_t i = dice(seed, ARRAY_LEN(wholes));
	const char *folder = wholes[i].folder;
	char path[96], other[96];
	size_t at = find(config, below(path, folder, "compose.yaml"));

	below(other, folder, "docker-compose.yml");
	switch (dice(seed, 12)) {
	case 0:
		drop(config, at);
		break;
	case 1: /* both: the first of them counts */
		put_compose(config, seed, folder, "docker-compose.yml", "web");
		break;
	case 2:
		if (at < config->n) {
			put(config, other, "%s", config->entries[at].text);
			drop(config, find(config, path));
		}
		break;
	case 3:
		drop_below(config, seed, folder);
		break;
	case 4: /* nothing but manifests, which a Compose file would make none */
		drop_below(config, seed, folder);
		put(config, below(path, folder, "s9.yaml"),
		    "kind: Service\nname: s9\ntype: redis\n");
		break;
	case 5:
		drop(config, some_below(config, seed, folder));
		break;
	case 6:
		begin_whole(config, seed, i);
		break;
	case 7:
		put_compose(config, seed, folder, "compose.yaml", dice(seed, 4) ? "web" : "app");
		break;
	default:
		edit_beside(config, seed, folder, wholes[i].port);
	}
}

/* A version whose images are those of a Compose file, in one of two stages. */
static void edit_composed(struct config *config, uint32_t *seed)
{
	if (dice(seed, 2))
		put(config, "projects/shop/versions/composed.yaml",
		    "kind: Product\nname: composed\ntype: simple\ncompose: c/%s\n",
		    dice(seed, 6) ? "compose.yaml" : "docker-compose.yml");
	else
		put(config, "projects/shop/stages/test/composed.yaml",
		    "kind: Deployment\nname: composed\nproduct: composed\nnode: n%u\nprefix: "
		    "comp\n",
		    1 + dice(seed, 3));
}

/* What hangs together with much: nodes, projects, stages, the organization. */
static void edit_frame(struct config *config, uint32_t *seed)
{
	const char *project = some_project(seed);
	char path[96];

	switch (dice(seed, 6)) {
	case 0:
		put(config, "organization.yaml", "kind: Organization\nname: acme\n# %u\n",
		    dice(seed, 4));
		break;
	case 1:
		put(config, "nodes/n3.yaml", "kind: Node\nname: n%u\ndriver: memory\n",
		    3 + dice(seed, 2));
		break;
	case 2:
		snprintf(path, sizeof path, "projects/%s/project.yaml", project);
		put(config, path, "kind: Project\nname: %s\n# %u\n", project, dice(seed, 4));
		break;
	case 3:
		snprintf(path, sizeof path, "projects/%s/products/web.yaml", project);
		put(config, path,
		    "kind: Product\nname: web\ntype: complex\n# %u\n---\n"
		    "kind: Version\nproduct: web\nname: \"9\"\ntype: rolling\n"
		    "images: [{name: web, image: local/web:9}]\n",
		    dice(seed, 4));
		break;
	case 4:
		snprintf(path, sizeof path, "projects/%s/stages/test/stage.yaml", project);
		if (dice(seed, 2))
			drop(config, find(config, path));
		else
			put(config, path, "kind: Stage\nname: test\nnodes: [n%u]\n",
			    1 + dice(seed, 4));
		break;
	default:
		put(config, "elsewhere.yaml", "# of no interest %u\n", dice(seed, 4));
	}
}

static void edit_at_random(struct config *config, uint32_t *seed)
{
	size_t i = dice(seed, (uint32_t)config->n);
	struct entry moved = config->entries[i];

	switch (dice(seed, 36)) {
	case 0:
		edit_frame(config, seed);
		break;
	case 16:
		edit_bundle(config, seed);
		break;
	case 17:
		edit_registry(config, seed);
		break;
	case 18:
	case 19:
	case 20:
		edit_service(config, seed);
		break;
	case 21:
	case 22:
	case 23:
		edit_app(config, seed);
		break;
	case 1: /* a broken document */
		put(config, moved.path, "kind: [\n");
		break;
	case 2: /* one that says too little */
		put(config, moved.path, "kind: Deployment\nname: x\n");
		break;
	case 3: /* from one unit to another */
		drop(config, i);
		put(config,
		    dice(seed, 2) ? "projects/shop/stages/prod/moved.yaml"
				  : "projects/blog/stages/test/moved.yaml",
		    "%s", moved.text);
		break;
	case 4: /* a second one of the same name */
		put(config, "projects/shop/stages/prod/again.yaml", "%s", moved.text);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
		edit_version(config, seed);
		break;
	case 9:
	case 10:
	case 11:
		edit_provider(config, seed);
		break;
	case 24:
		edit_composed(config, seed);
		break;
	default:
		if (dice(seed, 3))
			edit_whole(config, seed);
		else
			edit_deployment(config, seed);
	}
}

/* ---- as commits ---- */

struct world {
	char *folder;
	struct repo *repo;
	struct oid commits[COMMITS];
};

static void write_commit(struct buf *out, const struct config *config, size_t number)
{
	buf_addf(out, "commit refs/heads/main\ncommitter t <t@t> %zu +0000\ndata 0\ndeleteall\n",
		 number + 1);
	for (size_t i = 0; i < config->n; i++)
		buf_addf(out, "M 100644 inline %s\ndata %zu\n%s\n", config->entries[i].path,
			 strlen(config->entries[i].text), config->entries[i].text);
}

static int path_cmp(const void *a, const void *b)
{
	return strcmp((*(struct file *const *)a)->path, (*(struct file *const *)b)->path);
}

/* Of the folder with this path, as long as `len`: its Compose file; NULL when it has none. */
static const char *compose_of(const struct config *config, const char *path, size_t len)
{
	AUTO_FREE char *folder = mem_strndup(path, len);
	const char *found = NULL;

	for (size_t i = 0; whole_possible(whole_place(folder)) && i < config->n; i++) {
		const char *name = config->entries[i].path;

		if (str_starts(name, folder) && name[len] == '/' &&
		    whole_prefer(NULL, name + len + 1))
			found = whole_prefer(found, name + len + 1);
	}
	return found;
}

/* The length of the path of the folder around it that is read as a whole; 0: there is none. */
static size_t whole_around(const struct config *config, const char *path)
{
	const char *slash = path;

	while ((slash = strchr(slash, '/')) && !compose_of(config, path, (size_t)(slash - path)))
		slash++;
	return slash ? (size_t)(slash - path) : 0;
}

static int name_cmp(const void *a, const void *b)
{
	return strcmp(((const struct tree_file *)a)->path, ((const struct tree_file *)b)->path);
}

static struct file *read_whole(const struct config *config, const char *path, size_t len)
{
	const struct tree_entry compose = {.path = path, .whole = true};
	struct tree_file files[PATHS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < config->n; i++) {
		const struct entry *entry = &config->entries[i];

		if (strncmp(entry->path, path, len + 1) == 0)
			files[n++] = (struct tree_file){.path = entry->path + len + 1,
							.bytes = entry->text,
							.size = strlen(entry->text)};
	}
	qsort(files, n, sizeof *files, name_cmp);
	return decode_whole(&compose, files, n);
}

/* The file that stands in the listing under this entry's path; NULL: none does. */
static struct file *read_one(const struct config *config, const struct entry *entry)
{
	const struct oid no_blob = {0};
	size_t len = whole_around(config, entry->path);
	const char *name = entry->path + len + 1;
	struct unit_names names;
	struct unit unit;

	if (path_classify(entry->path, &unit, &names) != PATH_MANIFEST)
		return NULL;
	if (len && str_eq(name, compose_of(config, entry->path, len)))
		return read_whole(config, entry->path, len);
	if (len && !whole_has_manifest(name))
		return NULL;
	return file_decode(entry->path, &no_blob, entry->text, strlen(entry->text));
}

static bool is_accepted(const struct config *config)
{
	struct file *files[PATHS_MAX];
	struct file_set set;
	const struct accept_input input = {.tip = &set};
	struct accept_outcome outcome;
	size_t n = 0, held = 0;

	for (size_t i = 0; i < config->n; i++) {
		files[n] = read_one(config, &config->entries[i]);
		n += files[n] != NULL;
	}
	qsort(files, n, sizeof *files, path_cmp);
	file_set_take(&set, files, n);
	accept_run(&input, &outcome);
	for (size_t i = 0; i < outcome.units_n; i++)
		held += outcome.units[i].held;
	accept_outcome_release(&outcome);
	file_set_release(&set);
	return held == 0;
}

/* What was wrong is mostly put right by the next commit, so that there is something to follow. */
static void write_history(struct buf *out)
{
	struct config *config = mem_zalloc(1, sizeof *config), *good = mem_zalloc(1, sizeof *good);
	uint32_t seed = 3;

	begin(config);
	for (size_t i = 0; i < ARRAY_LEN(wholes); i++)
		begin_whole(config, &seed, i);
	for (size_t i = 0; i < COMMITS; i++) {
		write_commit(out, config, i);
		if (is_accepted(config))
			*good = *config;
		else if (dice(&seed, 4))
			*config = *good;
		for (uint32_t edits = 1 + dice(&seed, 3) / 2; edits; edits--)
			edit_at_random(config, &seed);
	}
	free(config);
	free(good);
}

static int setup(void **state)
{
	struct world *world = mem_zalloc(1, sizeof *world);
	struct err err = ERR_INIT;
	AUTO_BUF struct buf stream = BUF_INIT((size_t)128 << 20);
	char *file AUTO_FREE = NULL, *url AUTO_FREE = NULL;

	world->folder = test_folder();
	file = test_path(world->folder, "stream");
	url = test_path(world->folder, "c.git");
	write_history(&stream);
	assert_false(stream.overflow);
	assert_done(fs_write_atomic(file, buf_str(&stream), stream.len, 0600, &err), err);
	test_run(world->folder,
		 "git init -q --bare c.git; git -C c.git fast-import --quiet <stream");
	assert_done(repo_open(url, NULL, &world->repo, &err), err);
	for (size_t i = 0; i < COMMITS; i++) {
		char name[32];

		snprintf(name, sizeof name, "main~%zu", COMMITS - 1 - i);
		assert_done(repo_revision(world->repo, name, &world->commits[i], &err), err);
	}
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	repo_close(&world->repo);
	test_folder_remove(&world->folder);
	free(world);
	return 0;
}

/* ---- what there is, as text ---- */

static void show_files(struct buf *out, const struct file_set *set)
{
	char hex[OID_HEX_SIZE];

	for (size_t i = 0; i < set->n; i++)
		buf_addf(out, "%s %s %zu %zu\n", set->v[i]->path, oid_hex(&set->v[i]->blob, hex),
			 set->v[i]->documents_n, set->v[i]->diags_n);
}

static void show_tree(struct buf *out, const struct tree *tree)
{
	char hex[OID_HEX_SIZE];

	for (size_t i = 0; i < tree->entries_n; i++)
		buf_addf(out, "%s %s\n", tree->entries[i].path,
			 oid_hex(&tree->entries[i].blob, hex));
	for (size_t i = 0; i < tree->problems_n; i++)
		buf_addf(out, "%s: %s\n", tree->problems[i].path, tree->problems[i].text);
}

#define SHOW(kind)                                                                                 \
	for (size_t i = 0; i < model->kind##s.n; i++)                                              \
		buf_addf(out, #kind " %s %s\n", model->kind##s.v[i]->name,                         \
			 model->kind##s.v[i]->from.file->path);

static void show_model(struct buf *out, const struct model *model)
{
	show_files(out, &model->files);
	buf_addf(out, "organization %s\n", model->organization ? model->organization->name : "-");
	SHOW(node)
	SHOW(project)
	SHOW(product)
	SHOW(version)
	SHOW(stage)
	SHOW(deployment)
}

static void show_desired(struct buf *out, const struct desired *desired)
{
	for (size_t i = 0; i < desired->slots_n; i++) {
		const struct slot *slot = desired->slots[i];

		buf_addf(out, "%s/%s/%s/%s %s %s %s %d ", slot->key.project, slot->key.stage,
			 slot->key.deployment, slot->key.node, slot->version_name, slot->prefix,
			 slot->input_id, (int)slot->strategy);
		content_write(&slot->content, out);
		buf_addc(out, '\n');
	}
}

static void show_outcome(struct buf *out, const struct accept_outcome *outcome)
{
	show_files(out, &outcome->in_force);
	show_model(out, outcome->model);
	show_desired(out, outcome->desired);
	for (size_t i = 0; i < outcome->units_n; i++) {
		const struct accept_unit *unit = &outcome->units[i];

		buf_addf(out, "unit %d %s/%s changed %d held %d gone %d files %zu\n",
			 (int)unit->unit.level, unit->unit.project ? unit->unit.project : "",
			 unit->unit.stage ? unit->unit.stage : "", unit->changed, unit->held,
			 unit->gone, unit->files);
		for (size_t d = 0; d < unit->diags_n; d++)
			diag_render(&unit->diags[d], DIAG_PLAIN, out);
	}
	buf_addf(out, "sound %d accepted %d\n", outcome->sound, outcome->accepted);
}

/* ---- following ---- */

/* What is carried from commit to commit. */
struct follow {
	struct arena *arena;
	struct tree tree;
	struct oid commit;
	struct file_set files;
	struct accept_outcome outcome;
	size_t sound, held;
	size_t stacks, stacks_before, moves; /* that are in force; how often that changed */
};

static void load(struct world *world, struct follow *follow, const struct oid *commit, bool anew,
		 struct tree *tree, struct file_set *files)
{
	struct load_request request = {.repo = world->repo, .tree = tree};
	struct err err = ERR_INIT;

	if (anew || !follow->files.n) {
		assert_done(tree_list(world->repo, commit, NULL, 0, follow->arena, tree, &err),
			    err);
	} else {
		assert_done(tree_update(world->repo, &follow->commit, &follow->tree, commit, NULL,
					0, follow->arena, tree, &err),
			    err);
		request.known = &follow->files;
		request.known_tree = &follow->tree;
	}
	assert_done(load_now(&request, files, &err), err);
}

static void judge(const struct accept_outcome *before, bool alone, const struct history *history,
		  const struct tree *tree, const struct file_set *files, struct accept_outcome *out)
{
	const struct accept_input input = {
		.tip = files,
		.in_force = before->arena ? &before->in_force : NULL,
		.before = before->arena && !alone ? before : NULL,
		.problems = tree->problems,
		.problems_n = tree->problems_n,
		.history = history,
	};

	accept_run(&input, out);
}

static void count_stacks(struct follow *follow)
{
	const struct model *model = follow->outcome.model;
	size_t stacks = 0;

	for (size_t i = 0; i < model->deployments.n; i++)
		stacks += model_is_stack(model->deployments.v[i]);
	follow->stacks += stacks;
	follow->moves += stacks != follow->stacks_before;
	follow->stacks_before = stacks;
}

/*
 * Judged anew without a history, nothing but the texts in force counts. With one, versions are held
 * to what was in force before, which has to be there; but it is not believed to be sound.
 */
static void step(struct world *world, struct follow *follow, const struct oid *commit,
		 const struct history *history)
{
	AUTO_BUF struct buf one = BUF_INIT((size_t)16 << 20), other = BUF_INIT((size_t)16 << 20);
	struct accept_outcome now, anew, doubted = follow->outcome;
	struct tree tree, again;
	struct file_set files, all;

	load(world, follow, commit, false, &tree, &files);
	load(world, follow, commit, true, &again, &all);
	judge(&follow->outcome, false, history, &tree, &files, &now);
	doubted.sound = false;
	judge(&doubted, history == NULL, history, &again, history ? &files : &all, &anew);
	show_tree(&one, &tree);
	show_tree(&other, &again);
	show_files(&one, &files);
	show_files(&other, &all);
	show_outcome(&one, &now);
	show_outcome(&other, &anew);
	assert_false(one.overflow);
	assert_string_equal(buf_str(&one), buf_str(&other));
	accept_outcome_release(&anew);
	file_set_release(&all);
	if (follow->outcome.arena)
		accept_outcome_release(&follow->outcome);
	file_set_release(&follow->files);
	follow->outcome = now;
	follow->files = files;
	follow->tree = tree;
	follow->commit = *commit;
	follow->sound += now.sound;
	count_stacks(follow);
	for (size_t i = 0; i < now.units_n; i++)
		follow->held += now.units[i].held;
}

static void walk(struct world *world, const struct history *history)
{
	struct follow follow = {.arena = arena_new(0)};

	for (size_t i = 0; i < COMMITS; i++)
		step(world, &follow, &world->commits[i], history);
	/* The walk saw both sides. */
	assert_true(follow.sound > COMMITS / 2);
	assert_true(follow.held > COMMITS / 4);
	assert_true(follow.stacks > COMMITS / 2);
	assert_true(follow.moves > COMMITS / 50);
	accept_outcome_release(&follow.outcome);
	file_set_release(&follow.files);
	arena_free(follow.arena);
}

static void without_a_history(void **state)
{
	walk(*state, NULL);
}

static void with_a_history(void **state)
{
	const struct history nothing_yet = {0};

	walk(*state, &nothing_yet);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_history),
		cmocka_unit_test(with_a_history),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
