#include "base/sys.h"
#include "source/watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/vec.h"
#include "source/gitlib.h"

/*
 * A place is a folder with the one name in it that matters, and what an event about that name
 * means. The same folder may be several places. Everything is set up anew, from the repository's
 * folder down, whenever a folder on the way to the ref comes or goes: rare, and nothing can be
 * forgotten. A folder is watched before its sub-folder is looked for, so that one that appears in
 * between is seen.
 */
enum meaning {
	MOVED,	  /* the branch may have moved */
	REBUILD,  /* and the folders on the way to it have changed */
	REPLACED, /* the repository is gone, or another one stands there */
};

struct place {
	int wd;
	char *name; /* NULL: any, and the folder itself */
	enum meaning meaning;
};

struct ref_watch {
	int fd;
	char *path;   /* of the repository */
	char *branch; /* NULL: HEAD's */
	bool broken;  /* not all is watched, perhaps since there is no repository */
	VEC(struct place) places;
};

#define NAME_EVENTS (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE)
#define SELF_EVENTS (IN_DELETE_SELF | IN_MOVE_SELF)

/* ---------------------------------------------------------------- places */

/* A folder that does not exist is success: the one above it tells when it comes. */
static int add_place(struct ref_watch *watch, const char *folder, const char *name,
		     enum meaning meaning, struct err *err)
{
	const uint32_t mask = (name ? NAME_EVENTS : SELF_EVENTS) | IN_ONLYDIR | IN_MASK_ADD;
	int wd = inotify_add_watch(watch->fd, folder, mask);

	if (wd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (wd < 0 && errno == ENOSPC)
		return err_set(err, E_IO,
			       "watch %s: the limit fs.inotify.max_user_watches is reached",
			       folder);
	if (wd < 0)
		return err_errno(err, E_IO, "watch %s", folder);
	VEC_PUSH(&watch->places, (struct place){.wd = wd,
						.name = name ? mem_strdup(name) : NULL,
						.meaning = meaning});
	return 0;
}

static void forget_places(struct ref_watch *watch)
{
	for (size_t i = 0; i < watch->places.n; i++) {
		(void)inotify_rm_watch(watch->fd, watch->places.v[i].wd);
		free(watch->places.v[i].name);
	}
	VEC_CLEAR(&watch->places);
}

/* Every folder from `folder` down to the one that holds the ref, which is a path below it. */
static int add_way(struct ref_watch *watch, const char *folder, const char *ref, struct err *err)
{
	char *at AUTO_FREE = mem_strdup(folder), *rest AUTO_FREE = mem_strdup(ref);

	for (char *part = rest, *next; part; part = next) {
		char *below;

		next = strchr(part, '/');
		if (next)
			*next++ = '\0';
		if (add_place(watch, at, part, next ? REBUILD : MOVED, err) != 0)
			return -1;
		below = mem_printf("%s/%s", at, part);
		free(at);
		at = below;
	}
	return 0;
}

/* The name of the ref, or NULL when HEAD names a commit itself. */
static char *ref_name(const struct ref_watch *watch, git_repository *git)
{
	git_reference *head AUTO_GIT(git_reference) = NULL;
	const char *target;

	if (watch->branch)
		return mem_printf("refs/heads/%s", watch->branch);
	if (git_reference_lookup(&head, git, "HEAD") != 0)
		return NULL;
	target = git_reference_symbolic_target(head);
	return target && fs_is_inner_path(target) ? mem_strdup(target) : NULL;
}

static int add_repository(struct ref_watch *watch, git_repository *git, struct err *err)
{
	const char *own = git_repository_path(git), *common = git_repository_commondir(git);
	char *ref AUTO_FREE = ref_name(watch, git);

	if (add_place(watch, watch->path, NULL, REPLACED, err) != 0 ||
	    add_place(watch, common, NULL, REPLACED, err) != 0 ||
	    add_place(watch, common, "packed-refs", MOVED, err) != 0)
		return -1;
	if (!watch->branch && add_place(watch, own, "HEAD", REBUILD, err) != 0)
		return -1;
	return ref ? add_way(watch, common, ref, err) : 0;
}

/* The folder where the repository was, and the parts that one has to have. */
static int add_empty_place(struct ref_watch *watch, struct err *err)
{
	static const char *const parts[] = {".git", "HEAD", "objects", "refs"};
	const char *slash = strrchr(watch->path, '/');
	char *above AUTO_FREE = mem_strndup(watch->path, (size_t)(slash - watch->path) + 1);
	char *inside AUTO_FREE = mem_printf("%s/.git", watch->path);

	if (add_place(watch, above, slash + 1, REPLACED, err) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (add_place(watch, watch->path, parts[i], REPLACED, err) != 0 ||
		    add_place(watch, inside, parts[i], REPLACED, err) != 0)
			return -1;
	}
	return 0;
}

/* 0: all is watched; -1: what could be. */
static int try_set_up(struct ref_watch *watch, struct err *err)
{
	git_repository *git AUTO_GIT(git_repository) = NULL;

	forget_places(watch);
	if (gitlib_open(watch->path, &git, err) == 0)
		return add_repository(watch, git, err);
	if (add_empty_place(watch, err) != 0)
		return -1;
	/* it may have come before its place was watched */
	if (gitlib_open(watch->path, &git, err) != 0)
		return -1;
	forget_places(watch);
	return add_repository(watch, git, err);
}

static int set_up(struct ref_watch *watch, struct err *err)
{
	int result = try_set_up(watch, err);

	watch->broken = result != 0;
	return result;
}

/* ---------------------------------------------------------------- the watch */

int ref_watch_open(struct repo *repo, const char *branch, struct ref_watch **out, struct err *err)
{
	struct ref_watch *watch AUTO_REF_WATCH = NULL;
	size_t len = strlen(repo->path);

	if (repo->mirror)
		return err_set(err, E_NOT_SUPPORTED,
			       "%s is not on this machine: it cannot be watched", repo->url);
	watch = mem_zalloc(1, sizeof *watch);
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0)
		return err_errno(err, E_IO, "inotify (the limit is fs.inotify.max_user_instances)");
	while (len > 1 && repo->path[len - 1] == '/')
		len--;
	watch->path = mem_strndup(repo->path, len);
	watch->branch = branch ? mem_strdup(branch) : NULL;
	if (set_up(watch, err) != 0)
		return -1;
	*out = watch;
	watch = NULL;
	return 0;
}

void ref_watch_close(struct ref_watch **slot)
{
	struct ref_watch *watch = *slot;

	if (!watch)
		return;
	forget_places(watch);
	VEC_FREE(&watch->places);
	fs_close_ptr(&watch->fd);
	free(watch->path);
	free(watch->branch);
	free(watch);
	*slot = NULL;
}

int ref_watch_fd(const struct ref_watch *watch)
{
	return watch->fd;
}

/* ---------------------------------------------------------------- events */

struct seen {
	bool moved, rebuild, replaced, lost;
};

static void note(struct seen *seen, enum meaning meaning)
{
	seen->moved = true;
	seen->rebuild |= meaning == REBUILD;
	seen->replaced |= meaning == REPLACED;
}

/* A place whose own folder went away says IN_IGNORED too; those of watches let go are not known. */
static void take_event(const struct ref_watch *watch, const struct inotify_event *event,
		       struct seen *seen)
{
	const char *name = event->len ? event->name : NULL;

	if (event->mask & IN_Q_OVERFLOW) {
		seen->lost = true;
		return;
	}
	for (size_t i = 0; i < watch->places.n; i++) {
		const struct place *place = &watch->places.v[i];

		if (place->wd != event->wd)
			continue;
		if (event->mask & (SELF_EVENTS | IN_IGNORED | IN_UNMOUNT))
			note(seen, place->meaning == REPLACED ? REPLACED : REBUILD);
		else if (name && str_eq(name, place->name))
			note(seen, place->meaning);
	}
}

static void take_all(const struct ref_watch *watch, struct seen *seen)
{
	_Alignas(struct inotify_event) char bytes[16384];
	ssize_t got;

	while ((got = read(watch->fd, bytes, sizeof bytes)) > 0) {
		for (const char *at = bytes; at < bytes + got;) {
			const struct inotify_event *event = (const void *)at;

			take_event(watch, event, seen);
			at += sizeof *event + event->len;
		}
	}
}

int ref_watch_read(struct ref_watch *watch, struct err *err)
{
	struct seen seen = {0};

	take_all(watch, &seen);
	if (watch->broken || seen.lost || seen.replaced) {
		if (set_up(watch, err) != 0)
			return -1;
		return err_set(err, E_IO, "%s: %s", watch->path,
			       seen.lost ? "events were lost" : "the repository was replaced");
	}
	if (seen.rebuild && set_up(watch, err) != 0)
		return -1;
	return seen.moved ? 1 : 0;
}
