#include "base/sys.h"
#include "drivers/host_live.h"

#include <signal.h>

#include "drivers/workload.h"
#include "schema/kinds.h"

int host_signal_number(const char *name)
{
	for (int number = 1; number < NSIG; number++) {
		const char *word = sigabbrev_np(number);

		if (word && str_starts(name, "SIG") && str_eq(name + 3, word))
			return number;
	}
	return 0;
}

void host_live_read(const struct container *config, struct host_live *out)
{
	const char *word = KIND_TEXT_OR(config, container, stop_signal);
	int number = word ? host_signal_number(word) : 0;

	out->restart = container_restart_policy(config);
	out->stop_signal = number ? number : SIGTERM;
	out->stop_timeout_ms = KIND_OR(config, container, stop_timeout);
	out->resources = config->resources ? *config->resources : (struct resources){0};
}

bool host_live_restarts(const struct host_live *live, int exit_code)
{
	switch (live->restart) {
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		return true;
	case RESTART_ON_FAILURE:
		return exit_code != 0;
	case RESTART_NO:
	case restart_policy_none_:
	case restart_policy_end_:
		break;
	}
	return false;
}
