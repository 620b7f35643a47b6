#include "base/sys.h"
#include "plan/slow_stop.h"

#include "base/json.h"
#include "base/num.h"

static char *own_name(const char *container)
{
	return mem_strndup(container, workload_stem_length(container));
}

static bool forget_one(json_t *all, const char *slot, const char *name)
{
	json_t *of_slot = json_object_get(all, slot);

	if (json_object_del(of_slot, name) != 0)
		return false;
	if (json_object_size(of_slot) == 0)
		json_object_del(all, slot);
	return true;
}

bool slow_stop_note(json_t *all, const char *slot, const char *container, const char *unheard,
		    int64_t took_ms)
{
	AUTO_FREE char *name = own_name(container);
	json_t *of_slot = json_object_get(all, slot), *one;

	if (!*unheard)
		return forget_one(all, slot, name);
	if (!of_slot)
		json_object_set_new(all, slot, json_object());
	of_slot = json_object_get(all, slot);
	if (str_eq(json_str(json_object_get(of_slot, name), "signal", NULL), unheard))
		return false;
	one = json_object();
	json_put_str(one, "signal", unheard);
	json_object_set_new(one, "ms", json_integer(took_ms));
	json_object_set_new(of_slot, name, one);
	return true;
}

bool slow_stop_forget(json_t *all, const char *slot)
{
	return json_object_del(all, slot) == 0;
}

const char *slow_stop_hint(const json_t *all, const struct slot_key *slot,
			   const struct workload *seen, struct arena *arena)
{
	AUTO_FREE char *name = own_name(seen->name);
	char id[SLOT_ID_MAX];
	const json_t *one = json_object_get(json_object_get(all, slot_id(slot, id)), name);
	const char *signal = json_str(one, "signal", NULL);
	char took[NUM_TEXT_MAX];

	if (!signal || (seen->config && seen->config->stop_signal &&
			!str_eq(seen->config->stop_signal, signal)))
		return NULL;
	num_format_duration(json_int(one, "ms", 0) / 1000 * 1000, took);
	return arena_printf(arena,
			    "its last stop took %s: it did not end by %s and was killed; a handler "
			    "for that signal in its first process, or another stopSignal, spares "
			    "the wait",
			    took, signal);
}
