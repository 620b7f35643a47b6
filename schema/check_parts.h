/*
 * check_parts.h - inside of check_*.c: what the parts of check_model share.
 */
#ifndef TRUEUP_SCHEMA_CHECK_PARTS_H
#define TRUEUP_SCHEMA_CHECK_PARTS_H

#include "base/map.h"
#include "schema/bundles.h"
#include "schema/check.h"
#include "schema/kinds.h"

struct checker {
	const struct model *model;
	const struct check_history *history; /* never NULL */
	struct diags *diags;
	struct map broken; /* units in which a file has errors; see check_is_broken */
};

/*
 * Has the unit files that could not be read in full? Then what is not found in it may stand in one
 * of them, and calling it unknown would blame, and hold back, those who refer to it.
 */
bool check_is_broken(const struct checker *checker, const struct unit *unit);
struct unit check_project_unit(const struct origin *from);
extern const struct unit check_organization_unit;

/* Adds an error at a field of a document (at the document where the field has no place). */
struct diag *check_error(struct checker *checker, enum diag_code code, const struct head *head,
			 const struct origin *from, unsigned field, const char *fmt, ...)
	PRINTF_LIKE(6, 7);
/* The same at any place of the document's file. */
struct diag *check_error_at(struct checker *checker, enum diag_code code, const struct origin *from,
			    struct loc at, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* "did you mean X?", or NULL. */
const char *check_hint(struct checker *checker, const char *word, const char *const *names,
		       size_t n);

/* The same among all teams, users, nodes. */
const char *check_team_hint(struct checker *checker, const char *word);
const char *check_user_hint(struct checker *checker, const char *word);
const char *check_node_hint(struct checker *checker, const char *word);

/* The parts. */
void check_folder(struct checker *checker, const struct file *file);
void check_versions(struct checker *checker);
/* What simple products require, and products of both types that require each other. */
void check_requirements(struct checker *checker);
void check_stages(struct checker *checker);
void check_bundle_documents(struct checker *checker);
void check_deployments(struct checker *checker);

/* One document each: what it names, without what others make of it (chains, circles). */
void check_version(struct checker *checker, const struct version *version);
void check_deployment(struct checker *checker, const struct deployment *deployment);
/* The bundles that it names; what two of them set differently, for containers of these images
 * (NULL: not known). */
void check_bundle_names(struct checker *checker, const struct deployment *deployment);
void check_bundles(struct checker *checker, const struct deployment *deployment,
		   const struct image_list *images, const struct bundle_list *bundles);
void check_compose(struct checker *checker, const struct origin *from, const char *path,
		   struct loc at);
/* What a version, or a simple product, says it requires: from is where, product whose it is. */
void check_requires(struct checker *checker, const struct origin *from, const char *product,
		    const struct pairs *requires);
/* What a deployment requires by its version, or by its simple product; NULL: not known. */
const struct pairs *check_requires_of(const struct model *model,
				      const struct deployment *deployment);
/* check_registry.c: the Registries of the images that they name. */
void check_version_images(struct checker *checker, const struct version *version);
void check_products(struct checker *checker);
void check_bundle_images(struct checker *checker, const struct bundle *bundle);
void check_deployment_images(struct checker *checker, const struct deployment *deployment);
/* check_app.c: what an app links to. */
void check_links(struct checker *checker, const struct app *app);
/* Circles among the n deployments of one stage: by dependsOn, and by what they require. */
void check_waiting(struct checker *checker, const struct deployment *const *v, size_t n);

/* Versions of one product stand together: the first of them and how many. */
size_t check_version_run(const struct model *model, const char *project, const char *product,
			 size_t *n);

/* The product that a document of its project names; reports, and gives NULL, when there is none. */
const struct product *check_product_name(struct checker *checker, const struct head *head,
					 const struct origin *from, unsigned field,
					 const char *name);
const char *check_product_hint(struct checker *checker, const char *project, const char *name);
/* In the tree, or in the history? */
bool check_version_known(const struct checker *checker, const char *project, const char *product,
			 const char *name);
/* What to say of a version that is not known, and of one that is not named at all. */
const char *check_version_hint(struct checker *checker, const char *project, const char *product,
			       const char *name, const struct version *asking);
const char *check_newest_hint(struct checker *checker, const char *project, const char *product);

#endif
