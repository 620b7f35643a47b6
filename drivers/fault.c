#include "base/sys.h"
#include "drivers/fault.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "drivers/decorate.h"

struct armed {
	struct fault fault;
	char *once;
	unsigned seen; /* calls that fit so far */
};

struct faulty {
	struct decorator decorator;
	struct armed armed[FAULTS_MAX];
	size_t n;
};

static struct faulty *self(struct driver *driver)
{
	return (struct faulty *)(void *)driver;
}

static struct driver *inner_of(struct driver *driver)
{
	return decorator_of(driver)->inner;
}

/* ---- firing ---- */

static bool is_due(struct armed *armed)
{
	const struct fault *fault = &armed->fault;
	int fd;

	if (armed->seen < fault->nth || (armed->seen > fault->nth && !fault->and_later))
		return false;
	if (!armed->once)
		return true;
	fd = open(armed->once, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static void hang(int64_t ms)
{
	int64_t until = clock_boot_ms() + ms;

	for (int64_t left = ms; left > 0; left = until - clock_boot_ms())
		poll(NULL, 0, left < INT_MAX ? (int)left : INT_MAX);
}

static int fire(const struct fault *fault, struct err *err)
{
	switch (fault->what) {
	case FAULT_KILL:
		raise(SIGKILL);
		return 0;
	case FAULT_HANG:
		hang(fault->hang_ms);
		return 0;
	case FAULT_ERROR:
		return err_set(err, fault->code, "a fault that was asked for");
	}
	return 0;
}

/* A call is about to be made (or was made): counts it, and does what is due. */
static int meet(struct driver *driver, enum fault_call call, enum op_kind op, bool after,
		struct err *err)
{
	struct faulty *faulty = self(driver);

	for (size_t i = 0; i < faulty->n; i++) {
		struct armed *armed = &faulty->armed[i];

		if (armed->fault.call != call || armed->fault.after != after ||
		    (armed->fault.op && armed->fault.op != op))
			continue;
		armed->seen++;
		if (is_due(armed) && fire(&armed->fault, err) != 0)
			return -1;
	}
	return 0;
}

static int before(struct driver *driver, enum fault_call call, struct err *err)
{
	return meet(driver, call, 0, false, err);
}

/* A call that failed by itself keeps its own error, but counts. */
static int after(struct driver *driver, enum fault_call call, int result, struct err *err)
{
	return meet(driver, call, 0, true, result < 0 ? NULL : err) != 0 ? -1 : result;
}

/* ---- calls ---- */

static int fault_probe(struct driver *driver, struct buf *engine, struct err *err)
{
	struct driver *inner = inner_of(driver);

	if (before(driver, FAULT_PROBE, err) != 0)
		return -1;
	return after(driver, FAULT_PROBE, inner->ops->probe(inner, engine, err), err);
}

static int fault_observe(struct driver *driver, struct arena *arena, struct observed *out,
			 struct err *err)
{
	struct driver *inner = inner_of(driver);

	*out = (struct observed){0};
	if (before(driver, FAULT_OBSERVE, err) != 0)
		return -1;
	return after(driver, FAULT_OBSERVE, inner->ops->observe(inner, arena, out, err), err);
}

static int fault_resolve(struct driver *driver, const char *image, struct buf *digest,
			 struct err *err)
{
	struct driver *inner = inner_of(driver);

	if (before(driver, FAULT_RESOLVE, err) != 0)
		return -1;
	return after(driver, FAULT_RESOLVE, inner->ops->resolve(inner, image, digest, err), err);
}

static int fault_apply(struct driver *driver, const struct op *op, struct op_result *result,
		       struct err *err)
{
	struct driver *inner = inner_of(driver);
	int status;

	if (meet(driver, FAULT_APPLY, op->kind, false, err) != 0)
		return -1;
	status = inner->ops->apply(inner, op, result, err);
	if (meet(driver, FAULT_APPLY, op->kind, true, status < 0 ? NULL : err) != 0)
		return -1;
	return status;
}

static int fault_watch(struct driver *driver, struct err *err)
{
	struct driver *inner = inner_of(driver);

	if (before(driver, FAULT_WATCH, err) != 0)
		return -1;
	return after(driver, FAULT_WATCH, inner->ops->watch(inner, err), err);
}

static int fault_logs(struct driver *driver, const struct log_request *request, struct err *err)
{
	struct driver *inner = inner_of(driver);

	if (before(driver, FAULT_LOGS, err) != 0)
		return -1;
	return after(driver, FAULT_LOGS, inner->ops->logs(inner, request, err), err);
}

static void fault_release(struct decorator *decorator)
{
	struct faulty *faulty = self(&decorator->driver);

	for (size_t i = 0; i < faulty->n; i++)
		free(faulty->armed[i].once);
}

void fault_wrap(struct driver **driver, const struct fault *faults, size_t n)
{
	struct faulty *faulty = mem_zalloc(1, sizeof *faulty);
	struct driver_ops *ops = &faulty->decorator.ops;

	faulty->n = n < FAULTS_MAX ? n : FAULTS_MAX;
	for (size_t i = 0; i < faulty->n; i++) {
		faulty->armed[i].fault = faults[i];
		if (faults[i].once)
			faulty->armed[i].once = mem_strdup(faults[i].once);
	}
	decorate(driver, &faulty->decorator, fault_release);
	ops->probe = fault_probe;
	ops->observe = fault_observe;
	ops->resolve = fault_resolve;
	ops->apply = fault_apply;
	ops->watch = fault_watch;
	ops->logs = fault_logs;
}

/* ---- as text ---- */

static const char *const call_words[FAULT_CALLS] = {
	[FAULT_PROBE] = "probe", [FAULT_OBSERVE] = "observe", [FAULT_RESOLVE] = "resolve",
	[FAULT_APPLY] = "apply", [FAULT_WATCH] = "watch",     [FAULT_LOGS] = "logs",
};

/* Cuts the next part off *rest; NULL when there is none left. */
static char *next_part(char **rest, char separator)
{
	char *part = *rest, *end;

	if (!part)
		return NULL;
	end = strchr(part, separator);
	if (end)
		*end = '\0';
	*rest = end ? end + 1 : NULL;
	return part;
}

static int parse_call(const char *word, char **rest, struct fault *out)
{
	for (unsigned call = 1; call < FAULT_CALLS; call++) {
		if (str_eq(call_words[call], word))
			out->call = (enum fault_call)call;
	}
	if (!out->call)
		return -1;
	if (out->call != FAULT_APPLY || !*rest || strspn(*rest, "0123456789*") > 0)
		return 0;
	out->op = op_find(next_part(rest, ':'));
	return out->op ? 0 : -1;
}

static int parse_nth(char *word, struct fault *out)
{
	size_t len = word ? strlen(word) : 0;
	int64_t nth = 1;

	if (len == 0)
		return -1;
	out->and_later = word[len - 1] == '+' || str_eq(word, "*");
	if (word[len - 1] == '+')
		word[len - 1] = '\0';
	if (!str_eq(word, "*") && num_parse_int(word, 1, 1000000, &nth) != 0)
		return -1;
	out->nth = (unsigned)nth;
	return 0;
}

static int parse_when(const char *word, struct fault *out)
{
	out->after = str_eq(word, "after");
	return out->after || str_eq(word, "before") ? 0 : -1;
}

static int parse_what(const char *word, struct fault *out)
{
	static const char hang_for[] = "hang=";

	if (!word)
		return -1;
	if (str_eq(word, "kill")) {
		out->what = FAULT_KILL;
		return 0;
	}
	if (str_starts(word, hang_for)) {
		out->what = FAULT_HANG;
		return num_parse_duration(word + strlen(hang_for), &out->hang_ms);
	}
	out->what = FAULT_ERROR;
	out->code = err_code_find(word);
	return out->code != E_NONE ? 0 : -1;
}

static int parse_once(const char *rest, struct fault *out)
{
	static const char once[] = "once=";

	if (!rest)
		return 0;
	if (!str_starts(rest, once) || !rest[strlen(once)])
		return -1;
	out->once = rest + strlen(once);
	return 0;
}

/* The texts of *out point into text, which is cut up. */
static int parse_fault(char *text, struct fault *out)
{
	char *rest = text;

	*out = (struct fault){0};
	if (parse_call(next_part(&rest, ':'), &rest, out) != 0 ||
	    parse_nth(next_part(&rest, ':'), out) != 0 ||
	    parse_when(next_part(&rest, ':'), out) != 0 ||
	    parse_what(next_part(&rest, ':'), out) != 0)
		return -1;
	return parse_once(rest, out);
}

int fault_wrap_text(struct driver **driver, const char *text, struct err *err)
{
	AUTO_FREE char *copy = mem_strdup(text);
	struct fault faults[FAULTS_MAX];
	char *rest = copy, *part;
	size_t n = 0;

	while ((part = next_part(&rest, ','))) {
		AUTO_FREE char *whole = mem_strdup(part);

		if (n == FAULTS_MAX)
			return err_set(err, E_USAGE, "more than %d faults", FAULTS_MAX);
		if (parse_fault(part, &faults[n++]) != 0)
			return err_set(err, E_USAGE, "not a fault: %s", whole);
	}
	fault_wrap(driver, faults, n);
	return 0;
}
