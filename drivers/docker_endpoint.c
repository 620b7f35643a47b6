#include "base/sys.h"
#include "drivers/docker.h"

#include "base/credentials.h"
#include "drivers/oci.h"
#include "drivers/policy.h"
#include "schema/registry.h"

#define USUAL_ENDPOINT "unix:///var/run/docker.sock"
#define UNIX_SCHEME "unix://"
#define SOCKET_PATH_MAX 107 /* of sockaddr_un, unix(7) */

static int read_unix(const char *path, struct docker_endpoint *out, struct err *err)
{
	if (!policy_path_is_plain(path) || strlen(path) > SOCKET_PATH_MAX)
		return err_set(err, E_BAD_INPUT,
			       "endpoint " UNIX_SCHEME "%s does not name a socket by an absolute "
			       "path of at most %d bytes",
			       path, SOCKET_PATH_MAX);
	out->unix_path = mem_strdup(path);
	out->base = mem_strdup("http://engine");
	return 0;
}

/* host or host:port and nothing behind it. */
static bool is_authority(const char *text)
{
	return *text && !text[strcspn(text, "/?#@ \\")];
}

/* Whoever reads the files themselves is given their names: here it is seen that they may be used.
 */
static int find_file(const char *folder, const char *name, char **out, struct err *err)
{
	struct buf value AUTO_SECRET = BUF_INIT(CREDENTIALS_FILE_MAX);

	if (credentials_read(folder, name, &value, err) != 0)
		return -1;
	*out = mem_printf("%s/%s", folder, name);
	return 0;
}

static int read_https(const char *text, const struct node *node, const struct driver_env *env,
		      struct docker_endpoint *out, struct err *err)
{
	AUTO_FREE char *folder = NULL;

	if (!is_authority(text + strlen("https://")))
		return err_set(err, E_BAD_INPUT, "endpoint %s is not https://host:port", text);
	out->base = mem_strdup(text);
	if (!node->credentials)
		return 0;
	folder = oci_credentials_folder(env, node->credentials);
	if (find_file(folder, "ca.pem", &out->ca_file, err) != 0 ||
	    find_file(folder, "cert.pem", &out->cert_file, err) != 0 ||
	    find_file(folder, "key.pem", &out->key_file, err) != 0)
		return -1;
	return 0;
}

int docker_endpoint_read(const struct node *node, const struct driver_env *env,
			 struct docker_endpoint *out, struct err *err)
{
	const char *text = node->endpoint ? node->endpoint : USUAL_ENDPOINT;

	*out = (struct docker_endpoint){0};
	if (str_starts(text, UNIX_SCHEME))
		return read_unix(text + strlen(UNIX_SCHEME), out, err);
	if (str_starts(text, "https://"))
		return read_https(text, node, env, out, err);
	if (!str_starts(text, "http://") || !is_authority(text + strlen("http://")))
		return err_set(err, E_BAD_INPUT,
			       "endpoint %s is not " UNIX_SCHEME "/path, https://host:port or, on "
			       "loopback, http://host:port",
			       text);
	if (!registry_host_is_loopback(text + strlen("http://")))
		return err_set(
			err, E_BAD_INPUT,
			"endpoint %s: an engine that is not on this machine must be asked by "
			"https, with certificates: whoever can ask it can do everything there",
			text);
	out->base = mem_strdup(text);
	return 0;
}

void docker_endpoint_release(struct docker_endpoint *endpoint)
{
	free(endpoint->base);
	free(endpoint->unix_path);
	free(endpoint->ca_file);
	free(endpoint->cert_file);
	free(endpoint->key_file);
	*endpoint = (struct docker_endpoint){0};
}
