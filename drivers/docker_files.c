/*
 * The files of a configuration go into a container as an archive, after it was made and before it
 * starts: so they are there at its first breath, and no folder of the node has to be shared.
 * The archive is POSIX ustar (pax(1)); a path that does not fit has a pax header of its own.
 */
#include "base/sys.h"
#include "drivers/docker.h"

#include "base/num.h"
#include "schema/forms.h"
#include "schema/kinds.h"

#define BLOCK 512
#define PATH_FIELD 100

struct tar_header {
	char name[PATH_FIELD], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155];
	char rest[12];
};
_Static_assert(sizeof(struct tar_header) == BLOCK, "a header is one block");

static void add_padding(struct buf *out)
{
	static const char zeros[BLOCK];

	if (out->len % BLOCK)
		buf_add(out, zeros, BLOCK - out->len % BLOCK);
}

static void add_entry(struct buf *out, char type, const char *name, unsigned mode,
		      const char *content, size_t len)
{
	struct tar_header header = {.type = type, .magic = "ustar", .version = {'0', '0'}};
	const unsigned char *byte = (const unsigned char *)&header;
	unsigned sum = 0;

	memcpy(header.name, name, strnlen(name, PATH_FIELD));
	snprintf(header.mode, sizeof header.mode, "%07o", mode & 07777U);
	memcpy(header.uid, "0000000", sizeof header.uid);
	memcpy(header.gid, "0000000", sizeof header.gid);
	snprintf(header.size, sizeof header.size, "%011o", (unsigned)len);
	memcpy(header.mtime, "00000000000", sizeof header.mtime);
	memset(header.checksum, ' ', sizeof header.checksum);
	for (size_t i = 0; i < sizeof header; i++)
		sum += byte[i];
	snprintf(header.checksum, sizeof header.checksum - 1, "%06o", sum & 0777777U);
	buf_add(out, &header, sizeof header);
	buf_add(out, content, len);
	add_padding(out);
}

/* "<length of all this> path=<path>\n" */
static void add_long_path(struct arena *arena, struct buf *out, const char *path)
{
	size_t rest = strlen(" path=") + strlen(path) + 1, len = rest + 1;
	const char *record;

	while (strlen(record = arena_printf(arena, "%zu path=%s\n", len, path)) != len)
		len = strlen(record);
	add_entry(out, 'x', "path", 0644, record, len);
}

void docker_files_tar(struct arena *arena, const struct container *config, struct buf *out)
{
	static const char end[2 * BLOCK];

	for (size_t i = 0; i < config->files.n; i++) {
		const struct config_file *file = &config->files.v[i];
		const char *content = file->content ? file->content : "";
		const char *path = docker_inner_path(arena, config, file->path);

		while (*path == '/')
			path++;
		if (strlen(path) > PATH_FIELD)
			add_long_path(arena, out, path);
		add_entry(out, '0', path, form_mode(KIND_TEXT_OR(file, config_file, mode)), content,
			  strlen(content));
	}
	buf_add(out, end, sizeof end);
}

int docker_files_put(struct docker_call *call, const char *id, const struct container *config,
		     struct err *err)
{
	struct buf tar AUTO_BUF = BUF_INIT(BUF_MAX_TEXT);
	struct docker_request request = {
		.method = "PUT",
		.path = arena_printf(call->arena, "/containers/%s/archive?path=%%2F", id),
	};

	if (config->files.n == 0)
		return 0;
	docker_files_tar(call->arena, config, &tar);
	if (tar.overflow)
		return err_set(err, E_TOO_LARGE,
			       "the files of a container are larger than %zu bytes", tar.max);
	request.bytes = tar.ptr;
	request.bytes_len = tar.len;
	return docker_ask(call->docker, &request, NULL, err) < 0 ? -1 : 0;
}
