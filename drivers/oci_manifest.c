/*
 * Manifests, as far as it matters what they are: an image, or an index of images by platform. The
 * media types are those of the OCI's image specification 1.1 (image-index.md, manifest.md) and of
 * Docker's image manifest, version 2, schema 2 (distribution.github.io, spec/manifest-v2-2).
 */
#include "base/sys.h"
#include "drivers/oci.h"

#include "base/hash.h"
#include "base/json.h"

#define INDEX "application/vnd.oci.image.index.v1+json"
#define LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define IMAGE "application/vnd.oci.image.manifest.v1+json"
#define DOCKER_IMAGE "application/vnd.docker.distribution.manifest.v2+json"

const char oci_accept[] = INDEX ", " LIST ", " IMAGE ", " DOCKER_IMAGE;

enum oci_manifest_kind oci_manifest_kind(const char *media_type)
{
	static const struct {
		const char *type;
		enum oci_manifest_kind kind;
	} rows[] = {
		{INDEX, OCI_INDEX},
		{LIST, OCI_INDEX},
		{IMAGE, OCI_IMAGE},
		{DOCKER_IMAGE, OCI_IMAGE},
	};
	size_t len = strcspn(media_type, "; \t");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strlen(rows[i].type) == len && strncasecmp(rows[i].type, media_type, len) == 0)
			return rows[i].kind;
	}
	return OCI_NO_MANIFEST;
}

/* "linux/amd64", "" where it says nothing. What belongs to an image, as its origin, has "unknown".
 */
static void platform_of(const json_t *entry, struct buf *out)
{
	const json_t *platform = json_object_get(entry, "platform");
	const char *os = json_str(platform, "os", ""),
		   *arch = json_str(platform, "architecture", "");

	if (*os && *arch && !str_eq(os, "unknown"))
		buf_addf(out, "%s/%s", os, arch);
}

#define NAMES_MAX ((size_t)300) /* of platforms in an error */

int oci_index_check(const char *text, size_t len, const char *platform, struct err *err)
{
	AUTO_JSON json_t *index = json_read(text, len, OCI_MANIFEST_MAX, err);
	struct buf names AUTO_BUF = BUF_INIT(NAMES_MAX), clean AUTO_BUF = BUF_INIT(4 * NAMES_MAX);
	const json_t *entries = json_object_get(index, "manifests");

	if (!index)
		return -1;
	if (!json_is_array(entries))
		return err_set(err, E_BAD_INPUT, "the index lists no manifests");
	for (size_t i = 0; i < json_array_size(entries); i++) {
		struct buf one AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

		platform_of(json_array_get(entries, i), &one);
		if (str_eq(buf_str(&one), platform))
			return 0;
		if (one.len)
			buf_addf(&names, "%s%s", names.len ? ", " : "", buf_str(&one));
	}
	if (!names.len && !names.overflow)
		return 0;
	buf_add_clean(&clean, buf_str(&names), names.len);
	return err_set(err, E_IMAGE_UNKNOWN, "there is none for %s, but for %s%s", platform,
		       buf_str(&clean), names.overflow ? " and others" : "");
}
