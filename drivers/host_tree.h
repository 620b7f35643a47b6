/*
 * host_tree.h - the digest of a folder, and copies that are proven by it.
 *
 * An image of the host driver is a folder. Its digest covers what decides how it runs: names,
 * types, contents, the texts of links, and whether a file may be executed (by its owner). Owners,
 * times, other permission bits, attributes and sparseness do not count, so that the same content
 * has the same digest on every machine.
 *
 * The digest of a folder is SHA-256 over its entries, sorted by the bytes of their names, each as
 * type, name and value: of a file the SHA-256 of its content, of a folder its digest, of a link its
 * text. Texts are preceded by their length (hash_add_text). The digest of the image is SHA-256 over
 * "trueup-tree-1" and the digest of the top folder.
 *
 * Refused with E_IMAGE_INVALID, naming the entry: devices, sockets, pipes, links that are absolute
 * or lead out of the tree, more than 64 levels, a million entries or 64 GiB.
 */
#ifndef TRUEUP_DRIVERS_HOST_TREE_H
#define TRUEUP_DRIVERS_HOST_TREE_H

#include "base/err.h"
#include "base/hash.h"

#define HOST_TREE_DEPTH_MAX 64
#define HOST_TREE_ENTRIES_MAX 1000000
#define HOST_TREE_BYTES_MAX ((int64_t)64 << 30)

/* dir stays the caller's. */
int host_tree_digest(int dir, char out[HASH_HEX_SIZE], struct err *err);
/*
 * Copies all of `from` into the empty folder `to` and gives the digest of what was copied, byte by
 * byte as it passed. Blocks are shared with the source where the file system can (FICLONE). Files
 * become 0444 or 0555, folders 0555, `to` itself included.
 */
int host_tree_copy(int from, int to, char out[HASH_HEX_SIZE], struct err *err);

/* Below dir, links are followed but never out of it. A descriptor, or -1 with errno. */
int host_tree_open(int dir, const char *path, int flags);

#endif
