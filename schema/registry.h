/*
 * registry.h - which Registry an image comes from, and who may use it.
 *
 * The first part of a reference is `local`, the name of a Registry, or a host that is the url of
 * one; all else is Docker Hub's, whose images have paths of one or two parts. `local` and Docker
 * Hub need no document; where there is one of that name, its team holds for them, too.
 */
#ifndef TRUEUP_SCHEMA_REGISTRY_H
#define TRUEUP_SCHEMA_REGISTRY_H

#include "schema/doc.h"
#include "schema/image.h"
#include "schema/model.h"

#define REGISTRY_LOCAL_NAME "local"
#define REGISTRY_HUB_NAME "hub"
#define REGISTRY_HUB_HOST "docker.io"

/* host or host:port, of its url or, where it has none, of its type; NULL for local images. */
const char *registry_host(const struct registry *registry);
/* Is it reached by plain http? Only on loopback. */
bool registry_is_plain(const struct registry *registry);
/* Is a host, or host:port, on this machine by its very name? */
bool registry_host_is_loopback(const char *host);
/* Is it one of the names of Docker Hub? */
bool registry_host_is_hub(const char *host);

struct image_origin {
	bool known; /* false: no such Registry */
	/* As policy.registries calls it: of a Registry its name, else "local" or "hub". */
	const char *name;
	const struct registry *registry; /* NULL: without a document */
};
/* Of Registries with the same url, one that the project may use. project NULL: of no project. */
struct image_origin registry_of_image(const struct model *model, const struct project *project,
				      const struct image_ref *ref);

/* Is it shared, or of the project's team? */
bool registry_allowed(const struct project *project, const struct registry *registry);

/*
 * Reports an image of a Registry that there is not (DIAG_UNKNOWN_REGISTRY; where `certain`, since
 * else it may stand in a file that could not be read) or that is another team's
 * (DIAG_TEAM_MISMATCH; project NULL: no team is asked). Nothing is said of a reference that has not
 * its form, or whose Registry is a template.
 */
void registry_check_image(const struct model *model, const struct project *project, bool certain,
			  const char *image, struct loc at, const struct doc_source *source);

#endif
