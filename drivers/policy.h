/*
 * policy.h - what the settings allow a manifest to ask of a node, whichever driver serves it.
 *
 * Deny by default. `policy.nodes.<node>` replaces the list of the same name for that node.
 */
#ifndef TRUEUP_DRIVERS_POLICY_H
#define TRUEUP_DRIVERS_POLICY_H

#include "drivers/driver.h"

/*
 * Host ports and host paths of a spec: DIAG_POLICY. env NULL: the policy is not known, nothing is
 * checked.
 */
void policy_check(const struct node *node, const struct driver_env *env, const struct spec *spec,
		  const struct unit *unit, struct diags *diags);

/* The settings for one node: its exception if it has one, else the general value; may be NULL. */
const struct host_policy *policy_host_driver(const struct settings *settings, const char *node);

/* The folders that volumes of a node may name by hostPath. */
struct strings policy_host_paths(const struct settings *settings, const char *node);
/* May this port of the node be used? */
bool policy_port_allowed(const struct settings *settings, const char *node, int64_t port);

/*
 * True when path is one of the folders or inside one, part by part: /srv/ab is not in /srv/a. A
 * path that is not plain is in none. Says nothing about links: whoever opens it looks.
 */
bool policy_path_within(const char *path, const struct strings *folders);
/* True for absolute paths without empty, "." or ".." parts (a single slash at the end is fine). */
bool policy_path_is_plain(const char *path);

#endif
