#include "base/sys.h"
#include "drivers/host_tree.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/vec.h"

#define CHUNK ((size_t)128 << 10)
#define FORMAT "trueup-tree-1"

struct walk {
	int top;	 /* of the source, to try links from */
	struct buf path; /* of the entry at hand, for links and errors */
	int64_t entries, bytes;
	char *chunk;
	struct err *err;
};

/* A folder that is being read, and the folder that it is copied to (-1: none). */
struct level {
	int from, to;
	int depth;
};

static int refuse(struct walk *walk, const char *why)
{
	return err_set(walk->err, E_IMAGE_INVALID, "%s: %s",
		       walk->path.len ? buf_str(&walk->path) : ".", why);
}

static int failed(struct walk *walk, const char *what)
{
	return err_errno(walk->err, E_IO, "%s %s", what,
			 walk->path.len ? buf_str(&walk->path) : ".");
}

/* ---- links --------------------------------------------------------------------------------- */

int host_tree_open(int dir, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);

	/* Without openat2 links cannot be followed safely, so that none is. */
	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		return fs_open_beneath_walk(dir, path, flags, 0);
	return (int)fd;
}

static bool has_openat2(int dir)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC};
	int fd AUTO_FD = (int)syscall(SYS_openat2, dir, ".", &how, sizeof how);

	return fd >= 0;
}

/* A link that dangles is harmless: the tree never changes again. */
static int check_link(struct walk *walk, const char *text)
{
	int fd AUTO_FD = -1;

	if (*text == '/')
		return refuse(walk, "a link with an absolute path");
	if (!has_openat2(walk->top))
		return strstr(text, "..") ? refuse(walk, "a link upwards, which this kernel "
							 "cannot prove to stay in the image")
					  : 0;
	fd = host_tree_open(walk->top, buf_str(&walk->path), O_PATH);
	if (fd < 0 && errno == EXDEV)
		return refuse(walk, "a link that leads out of the image");
	if (fd < 0 && errno == ELOOP)
		return refuse(walk, "a link that leads in a circle");
	return 0;
}

static int take_link(struct walk *walk, const struct level *level, const char *name,
		     struct hash *hash)
{
	char text[PATH_MAX];
	ssize_t len = readlinkat(level->from, name, text, sizeof text);

	if (len < 0)
		return failed(walk, "read link");
	if ((size_t)len >= sizeof text)
		return refuse(walk, "a link with a text that is too long");
	text[len] = '\0';
	if (check_link(walk, text) != 0)
		return -1;
	if (level->to >= 0 && symlinkat(text, level->to, name) != 0)
		return failed(walk, "make link");
	hash_add_text(hash, "link");
	hash_add_text(hash, name);
	hash_add_text(hash, text);
	return 0;
}

/* ---- files --------------------------------------------------------------------------------- */

/* Reads `from` to its end into the digest, and writes it to `to` unless that is -1. */
static int pass(struct walk *walk, int from, int to, unsigned char digest[HASH_SIZE])
{
	struct hash hash;
	ssize_t n;

	hash_init(&hash);
	while ((n = read(from, walk->chunk, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(walk, "read");
		walk->bytes += n;
		if (walk->bytes > HOST_TREE_BYTES_MAX)
			return refuse(walk, "the image is larger than 64 GiB");
		hash_add(&hash, walk->chunk, (size_t)n);
		if (to >= 0 && fs_write_all(to, walk->chunk, (size_t)n) != 0)
			return failed(walk, "write");
	}
	hash_final(&hash, digest);
	return 0;
}

/* What the digest covers is read from the copy where the copy shares the source's blocks. */
static int copy_file(struct walk *walk, const struct level *level, const char *name, int from,
		     mode_t mode, unsigned char digest[HASH_SIZE])
{
	int to AUTO_FD = openat(level->to, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int done;

	if (to < 0)
		return failed(walk, "make");
	if (ioctl(to, FICLONE, from) == 0)
		done = pass(walk, to, -1, digest);
	else
		done = pass(walk, from, to, digest);
	if (done == 0 && fchmod(to, mode) != 0)
		return failed(walk, "set mode of");
	return done;
}

static int take_file(struct walk *walk, const struct level *level, const char *name,
		     struct hash *hash)
{
	int fd AUTO_FD = openat(level->from, name,
				O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	unsigned char digest[HASH_SIZE];
	struct stat info;
	bool runs;
	int done;

	if (fd < 0 || fstat(fd, &info) != 0)
		return failed(walk, "open");
	if (!S_ISREG(info.st_mode))
		return refuse(walk, "changed while it was read");
	runs = info.st_mode & S_IXUSR;
	done = level->to < 0 ? pass(walk, fd, -1, digest)
			     : copy_file(walk, level, name, fd, runs ? 0555 : 0444, digest);
	hash_add_text(hash, runs ? "program" : "file");
	hash_add_text(hash, name);
	hash_add(hash, digest, sizeof digest);
	return done;
}

/* ---- folders ------------------------------------------------------------------------------- */

static int take_level(struct walk *walk, const struct level *level,
		      unsigned char digest[HASH_SIZE]);

static int take_folder(struct walk *walk, const struct level *level, const char *name,
		       struct hash *hash)
{
	int from AUTO_FD =
		openat(level->from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int to AUTO_FD = -1;
	unsigned char digest[HASH_SIZE];

	if (from < 0)
		return failed(walk, "open");
	if (level->depth + 1 >= HOST_TREE_DEPTH_MAX)
		return refuse(walk, "more than 64 folders deep");
	if (level->to >= 0) {
		if (mkdirat(level->to, name, 0700) != 0)
			return failed(walk, "make folder");
		to = openat(level->to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (to < 0)
			return failed(walk, "open copy of");
	}
	if (take_level(walk, &(struct level){from, to, level->depth + 1}, digest) != 0)
		return -1;
	hash_add_text(hash, "folder");
	hash_add_text(hash, name);
	hash_add(hash, digest, sizeof digest);
	return 0;
}

static int take_entry(struct walk *walk, const struct level *level, const char *name,
		      struct hash *hash)
{
	struct stat info;

	if (++walk->entries > HOST_TREE_ENTRIES_MAX)
		return refuse(walk, "the image has more than a million entries");
	if (walk->path.overflow)
		return refuse(walk, "a path that is too long");
	if (fstatat(level->from, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return failed(walk, "look at");
	switch (info.st_mode & S_IFMT) {
	case S_IFREG:
		return take_file(walk, level, name, hash);
	case S_IFDIR:
		return take_folder(walk, level, name, hash);
	case S_IFLNK:
		return take_link(walk, level, name, hash);
	default:
		return refuse(walk, "an image holds files, folders and links only");
	}
}

struct names {
	VEC(char *) list;
};

static void names_release(struct names *names)
{
	for (size_t i = 0; i < names->list.n; i++)
		free(names->list.v[i]);
	VEC_FREE(&names->list);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_names(struct walk *walk, int fd, struct names *names)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_DIR DIR *dir = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;

	if (!dir) {
		fs_close_ptr(&again);
		return failed(walk, "list");
	}
	while ((errno = 0, entry = readdir(dir))) {
		if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
			continue;
		if ((int64_t)names->list.n >= HOST_TREE_ENTRIES_MAX)
			return refuse(walk, "the image has more than a million entries");
		VEC_PUSH(&names->list, mem_strdup(entry->d_name));
	}
	if (errno != 0)
		return failed(walk, "list");
	VEC_SORT(&names->list, by_bytes);
	return 0;
}

static int take_level(struct walk *walk, const struct level *level, unsigned char digest[HASH_SIZE])
{
	struct names names CLEANUP(names_release) = {0};
	size_t stem = walk->path.len;
	struct hash hash;

	if (list_names(walk, level->from, &names) != 0)
		return -1;
	hash_init(&hash);
	for (size_t i = 0; i < names.list.n; i++) {
		buf_addf(&walk->path, "%s%s", stem ? "/" : "", names.list.v[i]);
		if (take_entry(walk, level, names.list.v[i], &hash) != 0)
			return -1;
		walk->path.len = stem;
		walk->path.ptr[stem] = '\0';
	}
	hash_final(&hash, digest);
	if (level->to >= 0 && fchmod(level->to, 0555) != 0)
		return failed(walk, "set mode of");
	return 0;
}

/* ---- the whole ----------------------------------------------------------------------------- */

int host_tree_copy(int from, int to, char out[HASH_HEX_SIZE], struct err *err)
{
	AUTO_FREE char *chunk = mem_alloc(CHUNK);
	struct walk walk = {.top = from, .path = BUF_INIT(FS_PATH_MAX), .chunk = chunk, .err = err};
	unsigned char digest[HASH_SIZE];
	struct hash hash;
	int done = take_level(&walk, &(struct level){from, to, 0}, digest);

	buf_release(&walk.path);
	if (done != 0)
		return -1;
	hash_init(&hash);
	hash_add_text(&hash, FORMAT);
	hash_add(&hash, digest, sizeof digest);
	hash_final_hex(&hash, out);
	return 0;
}

int host_tree_digest(int dir, char out[HASH_HEX_SIZE], struct err *err)
{
	return host_tree_copy(dir, -1, out, err);
}
