#include "base/sys.h"
#include "schema/canon.h"
#include "schema/check.h"
#include "schema/decode.h"
#include "schema/merge.h"
#include "tests/fuzz/fuzz.h"

/*
 * Text to tree to documents to model to check, and what could be decoded through canonical form
 * and back: whatever is read without a problem must come back the same.
 *
 * The first byte chooses where in the tree the text stands.
 */

static const char *const paths[] = {
	"organization.yaml",
	"teams/a.yaml",
	"nodes/a.yaml",
	"projects/p/project.yaml",
	"projects/p/products/a.yaml",
	"projects/p/stages/s/stage.yaml",
	"projects/p/stages/s/a.yaml",
	"projects/p/stages/s/x/compose.yaml",
};

static void there_and_back(const struct container *config)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	AUTO_BUF struct buf text = BUF_INIT(BUF_MAX_TEXT), again = BUF_INIT(BUF_MAX_TEXT);
	AUTO_DIAGS struct diags diags = {0};
	const struct template_values values = {"1", "s", "p", "n", "p-s"};
	const struct unit unit = {UNIT_STAGE, "p", "s"};
	const struct container *back;
	struct err err = ERR_INIT;

	if (!config)
		return;
	canon_container(config, CANON_ALL, &text);
	back = decode_object(arena, "container", buf_str(&text), text.len, &err);
	FUZZ_CHECK(back != NULL);
	canon_container(back, CANON_ALL, &again);
	FUZZ_CHECK(str_eq(buf_str(&text), buf_str(&again)));
	FUZZ_CHECK(canon_diff(arena, config, back, CANON_ALL).n == 0);
	back = merge_containers(arena, (const struct container *const[]){config, back}, 2);
	template_expand(arena, back, &values, &unit, &diags);
	merged_check(back, &unit, &diags);
}

static void use_documents(const struct file *file)
{
	for (size_t i = 0; i < file->documents_n; i++) {
		const struct deployment *deployment = file->documents[i].value;

		if (file->documents[i].kind != KIND_deployment)
			continue;
		there_and_back(deployment->config);
		for (size_t j = 0; j < deployment->instances.n; j++)
			there_and_back(deployment->instances.v[j].config);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct oid blob;
	AUTO_DIAGS struct diags diags = {0};
	AUTO_BUF struct buf shown = BUF_INIT(BUF_MAX_TEXT);
	struct model *model;
	struct file *file;

	if (size == 0)
		return 0;
	file = file_decode(paths[data[0] % ARRAY_LEN(paths)], &blob, (const char *)data + 1,
			   size - 1);
	diags_append(&diags, file->diags, file->diags_n);
	model = model_build(&file, 1, &diags);
	check_model(model, NULL, &diags);
	diags_sort(&diags);
	for (size_t i = 0; i < diags.n && i < 100; i++)
		diag_render(&diags.v[i], DIAG_COLOUR, &shown);
	if (file->diags_n == 0)
		use_documents(file);
	model_free(model);
	file_unref(file);
	return 0;
}
