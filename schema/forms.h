/*
 * forms.h - does a text have the form that its field asks for?
 */
#ifndef TRUEUP_SCHEMA_FORMS_H
#define TRUEUP_SCHEMA_FORMS_H

#include "schema/kinds.h"

/* Every capability of Linux without its CAP_, capabilities(7): CAPABILITIES(X) is X(CHOWN) ... */
/* clang-format off */
#define CAPABILITIES(X) \
	X(AUDIT_CONTROL) X(AUDIT_READ) X(AUDIT_WRITE) X(BLOCK_SUSPEND) X(BPF) \
	X(CHECKPOINT_RESTORE) X(CHOWN) X(DAC_OVERRIDE) X(DAC_READ_SEARCH) X(FOWNER) \
	X(FSETID) X(IPC_LOCK) X(IPC_OWNER) X(KILL) X(LEASE) X(LINUX_IMMUTABLE) X(MAC_ADMIN) \
	X(MAC_OVERRIDE) X(MKNOD) X(NET_ADMIN) X(NET_BIND_SERVICE) X(NET_BROADCAST) \
	X(NET_RAW) X(PERFMON) X(SETFCAP) X(SETGID) X(SETPCAP) X(SETUID) X(SYSLOG) \
	X(SYS_ADMIN) X(SYS_BOOT) X(SYS_CHROOT) X(SYS_MODULE) X(SYS_NICE) X(SYS_PACCT) \
	X(SYS_PTRACE) X(SYS_RAWIO) X(SYS_RESOURCE) X(SYS_TIME) X(SYS_TTY_CONFIG) \
	X(WAKE_ALARM)
/* clang-format on */
#define CAPABILITY_PATTERN(name) "|" #name

struct form_row {
	const char *name;
	const char *pattern;	   /* of the text, or of a pair's key */
	const char *value_pattern; /* of a pair's value; NULL for forms of texts */
	const char *text;	   /* completes "must be ...", for pairs that of a key */
	const char *value_text;	   /* and of a value; NULL for forms of texts */
};
const struct form_row *form_row(enum form form);

/* For forms of texts; FORM_NONE fits everything. */
bool form_text_fits(enum form form, const char *text);
/* For forms of pairs. */
bool form_key_fits(enum form form, const char *key);
bool form_value_fits(enum form form, const char *value);
/* May the value be null, which takes the pair away from a weaker layer? */
bool form_takes_null(enum form form);

/* The number of a signal ("SIGTERM" is 15), or -1. */
int form_signal(const char *name);
/* Low and high end of "8080" or "1024-65535"; 0, or -1. */
int form_ports(const char *text, int64_t *low, int64_t *high);
/* Each capability, then ALL, then NULL. */
extern const char *const form_capabilities[];
/* The permission bits of "0644"; the text must fit FORM_MODE. */
unsigned form_mode(const char *text);
/* Is `status` among the codes of "200-399,404"? The text must fit FORM_STATUS. */
bool form_status_accepts(const char *text, int64_t status);

#endif
