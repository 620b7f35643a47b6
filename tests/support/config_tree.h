/*
 * config_tree.h - a configuration in memory: files are put and removed, models are built.
 *
 *	struct config_tree tree = {0};
 *	config_put_all(&tree, ">>> organization.yaml\nkind: Organization\nname: acme\n");
 *	struct model *model = config_model(&tree, &diags);
 *	...
 *	model_free(model);
 *	config_release(&tree);
 *
 * Models share the files that were not put anew between them, as they do in the reconciler.
 */
#ifndef TRUEUP_TESTS_CONFIG_TREE_H
#define TRUEUP_TESTS_CONFIG_TREE_H

#include "base/vec.h"
#include "schema/diag.h"
#include "schema/model.h"

struct config_tree {
	VEC(struct file *) files;
};
void config_release(struct config_tree *tree);
/* Decodes text and puts it at path in place of what was there; "" removes. */
void config_put(struct config_tree *tree, const char *path, const char *text);
/* Each file begins with a line ">>> path". */
void config_put_all(struct config_tree *tree, const char *text);
/* The same from a file. */
void config_put_file(struct config_tree *tree, const char *path);
/* The model of all files; what decoding and check_model say goes to *diags. */
struct model *config_model(const struct config_tree *tree, struct diags *diags);
/* One line for each error, "path:line code project/stage", sorted; to be freed by the caller. */
char *config_errors(struct diags *diags);

#endif
