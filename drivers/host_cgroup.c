#include "base/sys.h"
#include "drivers/host_cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/num.h"

/*
 * Version 2 allows no processes beside child groups: where the group is delegated to us, what is in
 * it moves to this leaf.
 */
#define OWN_LEAF "trueup-reconciler"
#define PROC_MAX ((size_t)4 << 20)

static const char *const controller_words[CONTROLLERS] = {"memory", "cpu"};

void host_cgroups_release(struct host_cgroups *cgroups)
{
	for (size_t i = 0; i < CONTROLLERS; i++) {
		free(cgroups->base[i].path);
		cgroups->base[i] = (struct host_cgroup_base){0};
	}
}

/* ---- finding ------------------------------------------------------------------------------- */

/* Is word one of the items of a text separated by commas or white space? */
static bool has_word(const char *list, size_t len, const char *word)
{
	size_t word_len = strlen(word);

	for (size_t at = 0; at < len;) {
		size_t part = 0;

		while (at + part < len && !strchr(", \n", list[at + part]))
			part++;
		if (part == word_len && memcmp(list + at, word, part) == 0)
			return true;
		at += part + 1;
	}
	return false;
}

/* The i-th field of a line, separated by single spaces. */
static const char *field(const char *line, size_t number, size_t *len)
{
	for (; number > 0 && *line && *line != '\n'; number--) {
		line += strcspn(line, " \n");
		line += *line == ' ';
	}
	*len = strcspn(line, " \n");
	return line;
}

struct mount {
	const char *root, *point, *type, *options; /* in the text of mountinfo */
	size_t root_len, point_len, type_len, options_len;
};

/* "36 35 98:0 /root /point rw,noatime shared:1 - type source options", see proc(5). */
static void parse_mount(const char *line, struct mount *out)
{
	size_t number = 6, len;
	const char *at;

	out->root = field(line, 3, &out->root_len);
	out->point = field(line, 4, &out->point_len);
	while (at = field(line, number, &len), len > 0 && !(len == 1 && *at == '-'))
		number++;
	out->type = field(line, number + 1, &out->type_len);
	out->options = field(line, number + 3, &out->options_len);
}

static bool is_type(const struct mount *mount, const char *type)
{
	return mount->type_len == strlen(type) && memcmp(mount->type, type, mount->type_len) == 0;
}

/* The group that we are in, as "/a/b" from a line "4:memory,cpu:/a/b"; v2 has no controllers. */
static char *own_group(const char *membership, const char *controller)
{
	for (const char *line = membership; *line;) {
		size_t len = strcspn(line, "\n");
		const char *list = memchr(line, ':', len);
		const char *path =
			list ? memchr(list + 1, ':', len - (size_t)(list + 1 - line)) : NULL;

		if (path && (controller ? has_word(list + 1, (size_t)(path - list - 1), controller)
					: path == list + 1))
			return mem_strndup(path + 1, len - (size_t)(path + 1 - line));
		line += len + (line[len] == '\n');
	}
	return NULL;
}

/* Where our group is below the mount; the mount itself where a namespace hides the rest. */
static char *group_folder(const struct mount *mount, const char *group)
{
	AUTO_FREE char *point = mem_strndup(mount->point, mount->point_len);
	AUTO_FREE char *below = NULL;

	if (mount->root_len > 1 && strncmp(group, mount->root, mount->root_len) == 0)
		group += mount->root_len;
	below = mem_printf("%s%s", point, str_eq(group, "/") ? "" : group);
	return mem_strdup(fs_is_dir(below) ? below : point);
}

static void take_mount(const struct mount *mount, const char *membership, struct host_cgroups *out)
{
	int version = is_type(mount, "cgroup2") ? 2 : is_type(mount, "cgroup") ? 1 : 0;

	for (size_t i = 0; version && i < CONTROLLERS; i++) {
		const char *word = controller_words[i];
		AUTO_FREE char *group = own_group(membership, version == 1 ? word : NULL);
		struct host_cgroup_base *base = &out->base[i];

		/* A controller belongs to version 1 as soon as that has it mounted. */
		if (!group || *group != '/' || *mount->point != '/' || base->version == 1 ||
		    (version == 1 && !has_word(mount->options, mount->options_len, word)))
			continue;
		free(base->path);
		*base = (struct host_cgroup_base){group_folder(mount, group), version};
	}
}

void host_cgroups_parse(const char *mountinfo, const char *membership, struct host_cgroups *out)
{
	*out = (struct host_cgroups){0};
	for (const char *line = mountinfo; *line;) {
		struct mount mount;

		parse_mount(line, &mount);
		take_mount(&mount, membership, out);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
}

void host_cgroups_find(struct host_cgroups *out)
{
	struct buf mounts AUTO_BUF = BUF_INIT(PROC_MAX), membership AUTO_BUF = BUF_INIT(PROC_MAX);

	if (fs_read("/proc/self/mountinfo", PROC_MAX, &mounts, NULL) != 0 ||
	    fs_read("/proc/self/cgroup", PROC_MAX, &membership, NULL) != 0) {
		*out = (struct host_cgroups){0};
		return;
	}
	host_cgroups_parse(buf_str(&mounts), buf_str(&membership), out);
}

/* ---- making -------------------------------------------------------------------------------- */

int host_cgroup_write(const char *group, const char *file, const char *value)
{
	AUTO_FREE char *path = mem_printf("%s/%s", group, file);
	int fd AUTO_FD = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	return fd < 0 ? -1 : fs_write_all(fd, value, strlen(value));
}

static bool file_has_word(const char *group, const char *file, const char *word)
{
	AUTO_FREE char *path = mem_printf("%s/%s", group, file);
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	return fs_read(path, BUF_MAX_LINE, &text, NULL) == 0 &&
	       has_word(buf_str(&text), text.len, word);
}

int64_t host_cgroup_read(const char *group, const char *file, const char *key)
{
	AUTO_FREE char *path = mem_printf("%s/%s", group, file);
	struct buf text AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	size_t key_len = strlen(key);
	int64_t value = 0;

	if (fs_read(path, BUF_MAX_LINE, &text, NULL) != 0)
		return 0;
	for (const char *line = buf_str(&text); *line;) {
		size_t len = strcspn(line, "\n");

		if (strncmp(line, key, key_len) == 0 && line[key_len] == ' ') {
			AUTO_FREE char *number = mem_strndup(line + key_len + 1, len - key_len - 1);

			(void)num_parse_int(number, 0, INT64_MAX, &value);
		}
		line += len + (line[len] == '\n');
	}
	return value;
}

/* systemd marks what it hands over. */
static bool is_delegated(const char *group)
{
	char value[2];

	return (getxattr(group, "user.delegate", value, sizeof value) == 1 ||
		getxattr(group, "trusted.delegate", value, sizeof value) == 1) &&
	       value[0] == '1';
}

static int make_group(const char *path, struct err *err)
{
	return mkdir(path, 0755) == 0 || errno == EEXIST
		       ? 0
		       : err_errno(err, E_NOT_SUPPORTED, "make control group %s", path);
}

/* Processes come while we look: again until none is left, a few times at most. */
static int move_to_leaf(const char *group, struct err *err)
{
	AUTO_FREE char *leaf = mem_printf("%s/" OWN_LEAF, group);
	AUTO_FREE char *list = mem_printf("%s/cgroup.procs", group);

	if (make_group(leaf, err) != 0)
		return -1;
	for (int round = 0; round < 10; round++) {
		struct buf text AUTO_BUF = BUF_INIT(PROC_MAX);

		if (fs_read(list, PROC_MAX, &text, err) != 0)
			return -1;
		if (text.len == 0)
			break;
		for (char *line = text.ptr, *next; *line; line = next) {
			next = line + strcspn(line, "\n");
			next += *next == '\n' ? (*next = '\0', 1) : 0;
			(void)host_cgroup_write(leaf, "cgroup.procs", line);
		}
	}
	return 0;
}

/* Version 2: children have a controller only when their parent hands it on. */
static int hand_on(const char *group, const char *controller, struct err *err)
{
	AUTO_FREE char *word = mem_printf("+%s", controller);

	if (file_has_word(group, "cgroup.subtree_control", controller))
		return 0;
	if (!file_has_word(group, "cgroup.controllers", controller))
		return err_set(err, E_NOT_SUPPORTED, "control group %s has no %s controller", group,
			       controller);
	if (host_cgroup_write(group, "cgroup.subtree_control", word) == 0)
		return 0;
	if (errno == EBUSY && is_delegated(group)) {
		if (move_to_leaf(group, err) != 0)
			return -1;
		if (host_cgroup_write(group, "cgroup.subtree_control", word) == 0)
			return 0;
	}
	return err_errno(err, E_NOT_SUPPORTED, "hand on %s in control group %s", controller, group);
}

static char *parent_of(const struct host_cgroup_base *base)
{
	size_t len = strlen(base->path);

	if (base->version == 2 && str_ends(base->path, "/" OWN_LEAF))
		len -= strlen("/" OWN_LEAF);
	return mem_strndup(base->path, len);
}

char *host_cgroup_path(const struct host_cgroup_base *base, const char *name)
{
	AUTO_FREE char *parent = base->path ? parent_of(base) : NULL;

	return parent ? mem_printf("%s/%s", parent, name) : NULL;
}

char *host_cgroup_make(const struct host_cgroup_base *base, enum host_controller controller,
		       const char *name, struct err *err)
{
	AUTO_FREE char *parent = NULL, *path = NULL;
	char *made;

	if (!base->path) {
		err_set(err, E_NOT_SUPPORTED, "no %s control groups are mounted",
			controller_words[controller]);
		return NULL;
	}
	parent = parent_of(base);
	if (base->version == 2 && hand_on(parent, controller_words[controller], err) != 0)
		return NULL;
	path = mem_printf("%s/%s", parent, name);
	if (make_group(path, err) != 0)
		return NULL;
	made = path;
	path = NULL;
	return made;
}
