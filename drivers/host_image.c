#include "base/sys.h"
#include "drivers/host_image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "drivers/host_tree.h"
#include "drivers/policy.h"

#define DEFAULT_TAG "latest"

/* ---- references ---------------------------------------------------------------------------- */

void host_image_release(struct host_image *image)
{
	free(image->path);
	free(image->tag);
	free(image->digest);
	*image = (struct host_image){0};
}

/* No part is hidden or leads elsewhere. */
static bool is_plain(const char *path, const char *tag)
{
	return fs_is_inner_path(path) && path[0] != '.' && !strstr(path, "/.") && *tag &&
	       tag[0] != '.' && !strchr(tag, '/');
}

int host_image_parse(const char *reference, struct host_image *out, struct err *err)
{
	const char *rest;
	size_t len;

	*out = (struct host_image){0};
	if (!str_starts(reference, HOST_IMAGE_PREFIX))
		return err_set(err, E_NOT_SUPPORTED,
			       "image %s: the host driver runs " HOST_IMAGE_PREFIX
			       "<path>:<tag> only, a folder below the node's imageRoot",
			       reference);
	rest = reference + strlen(HOST_IMAGE_PREFIX);
	len = strcspn(rest, ":@");
	out->path = mem_strndup(rest, len);
	rest += len;
	if (*rest == ':') {
		len = strcspn(++rest, "@");
		out->tag = mem_strndup(rest, len);
		rest += len;
	} else {
		out->tag = mem_strdup(DEFAULT_TAG);
	}
	if (*rest == '@')
		out->digest = mem_strdup(rest + 1);
	if (is_plain(out->path, out->tag) && (!out->digest || hash_digest_hex(out->digest)))
		return 0;
	host_image_release(out);
	return err_set(err, E_BAD_INPUT, "image %s: not " HOST_IMAGE_PREFIX "<path>:<tag>",
		       reference);
}

/* ---- the source ---------------------------------------------------------------------------- */

/* The real path in the arena, the path itself where it does not exist. */
static const char *real(struct arena *arena, const char *path)
{
	char resolved[PATH_MAX];

	return arena_strdup(arena, realpath(path, resolved) ? resolved : path);
}

int host_image_root_check(const struct node *node, const struct settings *settings, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	const struct host_policy *policy = policy_host_driver(settings, node->name);
	struct strings roots = {0};

	if (!node->image_root)
		return err_set(err, E_BAD_INPUT, "the host driver needs imageRoot");
	if (policy) {
		roots.n = policy->image_roots.n;
		roots.v = ARENA_ARRAY(arena, roots.n, const char *);
	}
	for (size_t i = 0; i < roots.n; i++)
		roots.v[i] = real(arena, policy->image_roots.v[i]);
	if (policy_path_within(real(arena, node->image_root), &roots))
		return 0;
	return err_set(err, E_POLICY,
		       "imageRoot %s is not inside one of the settings' "
		       "policy.hostDriver.imageRoots",
		       node->image_root);
}

/* The source's folder, or -1. Policy is looked at again: a link may have been turned since. */
static int open_source(const struct host *host, const struct host_image *image, struct err *err)
{
	AUTO_FREE char *path = mem_printf("%s/%s", image->path, image->tag);
	const char *root_path = host->node->image_root;
	int root AUTO_FD = -1;
	int fd;

	if (host_image_root_check(host->node, host->env->settings, err) != 0)
		return -1;
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_errno(err, E_IMAGE_UNKNOWN, "imageRoot %s", root_path);
	fd = host_tree_open(root, path, O_RDONLY | O_DIRECTORY);
	if (fd >= 0)
		return fd;
	if (errno == EXDEV || errno == ELOOP)
		return err_set(err, E_IMAGE_INVALID, "%s/%s leads out of imageRoot", root_path,
			       path);
	if (errno == ENOENT || errno == ENOTDIR)
		return err_set(err, E_IMAGE_UNKNOWN, "no folder %s/%s", root_path, path);
	return err_errno(err, E_IO, "open %s/%s", root_path, path);
}

/* ---- copies -------------------------------------------------------------------------------- */

static bool is_there(const struct host *host, const char *hex)
{
	AUTO_FREE char *path = host_path(host, HOST_IMAGES, hex);

	return fs_is_dir(path);
}

/* Was the copy proven in this boot? */
static bool is_proven(const struct host *host, const char *hex)
{
	AUTO_FREE char *path = host_path(host, HOST_IMAGE_RECORDS, hex);
	struct buf text AUTO_BUF = BUF_INIT(HOST_BOOT_SIZE);
	char boot[HOST_BOOT_SIZE];

	host_boot_id(boot);
	return *boot && fs_read(path, HOST_BOOT_SIZE - 1, &text, NULL) == 0 &&
	       str_eq(buf_str(&text), boot);
}

static int note_proof(const struct host *host, const char *hex, struct err *err)
{
	AUTO_FREE char *path = host_path(host, HOST_IMAGE_RECORDS, hex);
	char boot[HOST_BOOT_SIZE];

	host_boot_id(boot);
	return fs_write_replace(path, boot, strlen(boot), 0600, err);
}

static int drop_copy(const struct host *host, const char *hex, struct err *err)
{
	if (host_record_remove(host, HOST_IMAGE_RECORDS, hex, err) != 0)
		return -1;
	return host_vanish(host, HOST_IMAGES, hex, err);
}

/* 1: it is what its name says, 0: there is none (any more), -1. */
static int look_at_copy(const struct host *host, const char *hex, struct err *err)
{
	AUTO_FREE char *path = host_path(host, HOST_IMAGES, hex);
	int dir AUTO_FD = -1;
	char found[HASH_HEX_SIZE];

	if (!is_there(host, hex))
		return 0;
	if (is_proven(host, hex))
		return 1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0 && host_tree_digest(dir, found, NULL) == 0 && str_eq(found, hex))
		return note_proof(host, hex, err) == 0 ? 1 : -1;
	return drop_copy(host, hex, err);
}

int host_image_prove(const struct host *host, const char *digest, struct err *err)
{
	const char *hex = hash_digest_hex(digest ? digest : "");
	int found;

	if (!hex)
		return err_set(err, E_BAD_INPUT, "image digest %s", digest ? digest : "is missing");
	found = look_at_copy(host, hex, err);
	if (found < 0)
		return -1;
	return found ? 0
		     : err_set(err, E_IMAGE_UNKNOWN, "there is no copy of image %s on the node",
			       digest);
}

/* Copies under a hidden name; it gets its own only when the digest is the wanted one. */
static int copy_source(const struct host *host, int source, const struct spec *spec,
		       const char *hex, struct err *err)
{
	AUTO_FREE char *hidden = mem_printf("%s/" HOST_IMAGES "/.new-%s", host->data_root, hex);
	AUTO_FREE char *path = host_path(host, HOST_IMAGES, hex);
	char found[HASH_HEX_SIZE];
	int to AUTO_FD = -1;

	if (mkdir(hidden, 0700) != 0)
		return err_errno(err, E_IO, "make folder %s", hidden);
	to = open(hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return err_errno(err, E_IO, "open %s", hidden);
	if (host_tree_copy(source, to, found, err) != 0)
		return err_wrap(err, "image %s", spec->image);
	if (!str_eq(found, hex))
		return err_set(err, E_IMAGE_CHANGED,
			       "image %s: the folder's digest is now " HASH_PREFIX
			       "%s, %s was recorded, and there is no copy of that",
			       spec->image, found, spec->digest);
	if (rename(hidden, path) != 0)
		return err_errno(err, E_IO, "rename %s", hidden);
	return note_proof(host, hex, err);
}

static int make_copy(const struct host *host, const struct spec *spec, const char *hex,
		     struct err *err)
{
	struct host_image image AUTO_IMAGE = {0};
	int source AUTO_FD = -1;
	int done;

	if (host_image_parse(spec->image, &image, err) != 0)
		return -1;
	source = open_source(host, &image, err);
	if (source < 0)
		return -1;
	if (host_sweep(host, HOST_IMAGES, err) != 0)
		return -1;
	done = copy_source(host, source, spec, hex, err);
	if (done != 0)
		(void)host_sweep(host, HOST_IMAGES, NULL);
	return done;
}

int host_image_pull(const struct host *host, const struct spec *spec, bool *changed,
		    struct err *err)
{
	const char *hex = hash_digest_hex(spec->digest ? spec->digest : "");
	int lock AUTO_FD = -1;
	int found;

	if (!hex)
		return err_set(err, E_BAD_INPUT, "image %s: no digest of the form sha256:<hex>",
			       spec->image);
	lock = host_lock(host, HOST_IMAGES, err);
	if (lock < 0)
		return -1;
	found = look_at_copy(host, hex, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	*changed = true;
	return make_copy(host, spec, hex, err);
}

int host_image_resolve(const struct host *host, const char *reference, struct buf *digest,
		       struct err *err)
{
	struct host_image image AUTO_IMAGE = {0};
	char found[HASH_HEX_SIZE];
	int source AUTO_FD = -1;

	if (host_image_parse(reference, &image, err) != 0)
		return -1;
	if (image.digest && is_there(host, hash_digest_hex(image.digest))) {
		buf_adds(digest, image.digest);
		return 0;
	}
	source = open_source(host, &image, err);
	if (source < 0 || host_tree_digest(source, found, err) != 0)
		return err_wrap(err, "image %s", reference);
	if (image.digest && !str_eq(found, hash_digest_hex(image.digest)))
		return err_set(err, E_IMAGE_UNKNOWN,
			       "image %s: the folder's digest is " HASH_PREFIX "%s", reference,
			       found);
	buf_addf(digest, HASH_PREFIX "%s", found);
	return 0;
}

int host_image_remove(const struct host *host, const char *digest, bool *changed, struct err *err)
{
	const char *hex = hash_digest_hex(digest);
	int lock AUTO_FD = -1;

	if (!hex)
		return err_set(err, E_BAD_INPUT, "%s is no image digest", digest);
	lock = host_lock(host, HOST_IMAGES, err);
	if (lock < 0 || host_sweep(host, HOST_IMAGES, err) != 0)
		return -1;
	*changed = is_there(host, hex);
	return drop_copy(host, hex, err);
}
