/*
 * policy.h - what the settings allow a manifest to ask of a node, whichever driver serves it.
 *
 * Deny by default. `policy.nodes.<node>` replaces the list of the same name for that node.
 */
#ifndef TRUEUP_DRIVERS_POLICY_H
#define TRUEUP_DRIVERS_POLICY_H

#include "drivers/driver.h"

/*
 * Reports what a spec asks of its node and may not have: DIAG_POLICY. env NULL: the policy is not
 * known, nothing is checked. Registries are the plan's to check, which knows them.
 */
void policy_check(const struct node *node, const struct driver_env *env, const struct spec *spec,
		  const struct unit *unit, struct diags *diags);

/* The settings for one node: its exception if it has one, else the general value; may be NULL. */
const struct host_policy *policy_host_driver(const struct settings *settings, const char *node);

/* The folders that volumes of a node may name by hostPath. */
struct strings policy_host_paths(const struct settings *settings, const char *node);
/* The devices that containers may have, and folders of them. */
struct strings policy_devices(const struct settings *settings, const char *node);
bool policy_privileged(const struct settings *settings, const char *node);
bool policy_host_namespaces(const struct settings *settings, const char *node);
bool policy_engine_sockets(const struct settings *settings, const char *node);
/* May a container add this capability, "ALL" included? */
bool policy_capability_allowed(const struct settings *settings, const char *node, const char *name);
/* May images come from this Registry? Docker Hub is called "hub" here. */
bool policy_registry_allowed(const struct settings *settings, const char *node, const char *name);
#define REGISTRIES_DECLARED "declared" /* in policy.registries: every one that is declared */
/* May this port of the node be used? */
bool policy_port_allowed(const struct settings *settings, const char *node, int64_t port);

/*
 * True when path is one of the folders or inside one, part by part: /srv/ab is not in /srv/a. A
 * path that is not plain is in none. Says nothing about links: whoever opens it looks.
 */
bool policy_path_within(const char *path, const struct strings *folders);
/*
 * Would a container that sees this folder or file of the node see the socket of a container engine:
 * of the node's own (its endpoint), or of one that is where engines usually are? Whoever can write
 * to that can do everything on the node.
 */
bool policy_path_has_engine_socket(const struct node *node, const char *path);
/* True for absolute paths without empty, "." or ".." parts (a single slash at the end is fine). */
bool policy_path_is_plain(const char *path);

#endif
