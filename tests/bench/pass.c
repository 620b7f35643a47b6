/*
 * pass.c - how long a daemon takes for a pass.
 *
 *	pass STATE-DIRECTORY
 *
 * Asks for one over the control socket, as `trueup sync --wait` does, and prints the milliseconds
 * until the answer: what it costs to load a program is not in it.
 */
#include "base/sys.h"

#include "base/clock.h"
#include "base/json.h"
#include "engine/engine.h"

#define PATIENCE_MS 60000

int main(int argc, char **argv)
{
	AUTO_JSON json_t *args = json_object(), *answer = NULL;
	struct err err = ERR_INIT;
	int code = 0;
	int64_t began = clock_boot_us();

	if (argc != 2)
		return 64;
	json_object_set_new(args, "wait", json_true());
	json_object_set_new(args, "timeout_ms", json_integer(PATIENCE_MS));
	if (control_call(argv[1], "sync", args, PATIENCE_MS, &answer, &code, &err) < 0) {
		fprintf(stderr, "pass: %s\n", err.text);
		return EXIT_FAILURE;
	}
	printf("%.1f\n", (double)(clock_boot_us() - began) / 1000);
	return code;
}
