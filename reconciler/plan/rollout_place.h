/*
 * rollout_place.h - what is wanted and what is seen, side by side; shared by the files of rollout.
 */
#ifndef TRUEUP_PLAN_ROLLOUT_PLACE_H
#define TRUEUP_PLAN_ROLLOUT_PLACE_H

#include "plan/rollout.h"

enum match {
	MATCH_NONE, /* another one: has to be replaced */
	MATCH_LIVE, /* differs only in fields that the driver changes on a running container */
	MATCH_SAME,
};
enum condition {
	CONDITION_ABSENT, /* to be made */
	CONDITION_DOWN,	  /* to be started */
	CONDITION_COMING, /* started, not healthy yet */
	CONDITION_HEALTHY,
	CONDITION_FAILED, /* ended for good, and waiting will not help */
};

/* One wanted container and what is seen under its two names. */
struct place {
	const struct spec *spec;
	const struct workload *own;  /* under the name itself */
	const struct workload *next; /* under <name>.next */
	const struct workload *have; /* the one of them that is the wanted one; NULL: neither */
	enum match match;	     /* of `have` */
	/*
	 * Of `have`; a job of a settled record is done, whether it is still there or not, and so is
	 * an init container whose container was started.
	 */
	enum condition condition;
	bool over; /* of an init container: its container was started, and it is not needed */
};
struct places {
	struct place *v; /* in order of start */
	size_t n;
	const struct workload **extra; /* under no wanted name, in order of start */
	size_t extra_n;
};
void places_fill(struct arena *arena, const struct rollout_input *input, struct places *out);

/* Does it have to be stopped before it is quiet? */
bool workload_is_active(const struct workload *workload);
/* Does it run, and does nothing speak against it? */
bool workload_serves(const struct workload *workload);
/* Must what comes after it wait until it is healthy? */
bool spec_is_waited_for(const struct spec *spec);
bool spec_is_job(const struct spec *spec);
/* Is it found by a name, which its successor takes over? */
bool spec_has_alias(const struct rollout_input *input, const struct spec *spec);
/* Does it run before its container, which is behind it in order of start? */
bool spec_is_init(const struct spec *spec);

enum match place_match(struct arena *arena, const struct rollout_input *input,
		       const struct spec *spec, const struct workload *workload);
/* Everything in which the two differ, image and digest included. */
struct field_diffs place_diff(struct arena *arena, const struct spec *spec,
			      const struct workload *workload);
bool place_same_slot(const struct labels *a, const struct labels *b);

#endif
