/*
 * pack.h - a decoded file as bytes, for one process to hand to another.
 *
 * The child that reads what anybody may have pushed decodes a file and packs it; the reconciler
 * unpacks it and need not read the YAML again. It does not trust the child, which the file may have
 * turned: whatever the bytes say, what comes out is a file that keeps every rule that decoding
 *holds a file without problems to, or nothing.
 *
 *	number     seven bits a byte, the lowest first, the top bit says that more follow
 *	text       its length, its bytes
 *	place      line, column, width
 *	file       bytes of memory it wants, number of documents, the documents
 *	document   kind, place of its first key, object
 *	object     head.set, head.null, then for each field that is set its place and its value, by
 *type
 *
 * Same binary on both sides: there is no version.
 */
#ifndef TRUEUP_SCHEMA_PACK_H
#define TRUEUP_SCHEMA_PACK_H

#include "base/buf.h"
#include "schema/model.h"

/* Beyond this a file is decoded again instead: bytes packed, bytes unpacked. */
#define PACK_BYTES_MAX ((size_t)1 << 20)
#define PACK_MEMORY_MAX ((size_t)8 << 20)

/*
 * Appends the file. False, with `out` as it was, when it has problems, is too large, or is what a
 * Compose file says.
 */
bool file_pack(const struct file *file, struct buf *out);
/*
 * The file that was packed, under the path and blob that the caller knows it by; one reference is
 * the caller's. NULL: nothing that decoding finds without problems packs to these bytes.
 */
struct file *file_unpack(const char *path, const struct oid *blob, const char *bytes, size_t len);

#endif
