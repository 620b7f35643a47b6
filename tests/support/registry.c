#include "tests/support/test.h"
#include "tests/support/registry.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/num.h"
#include "tests/support/shell.h"

/* ---- addresses ---- */

static int listen_at(const char *address, char host[32])
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	snprintf(host, 32, "%s:%d", address, ntohs(at.sin_port));
	return fd;
}

static bool answers(const char *host)
{
	int64_t port = 0;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	assert_int_equal(num_parse_int(strchr(host, ':') + 1, 1, 65535, &port), 0);
	at.sin_port = htons((uint16_t)port);
	result = connect(fd, (struct sockaddr *)&at, sizeof at);
	close(fd);
	return result == 0;
}

/* ---- the real one ---- */

static const char find_programs[] = "for program in docker-registry htpasswd curl openssl; do\n"
				    "	command -v $program >/dev/null || printf ' %s' $program\n"
				    "done\n";

const char *test_registry_missing(void)
{
	static char why[128];
	char *folder = test_folder();
	AUTO_FREE char *lacks = test_shell(folder, "%s", find_programs);

	test_folder_remove(&folder);
	if (!*lacks)
		return NULL;
	snprintf(why, sizeof why, "not installed:%s", lacks);
	return why;
}

/* htpasswd and docker-registry have bcrypt in common. */
static const char configure[] =
	"cd \"$HOME\"; host=%s kind=%d\n"
	"exec >config.yml\n"
	"echo 'version: 0.1'\n"
	"echo 'log: {level: error, accesslog: {disabled: true}}'\n"
	"echo \"storage: {filesystem: {rootdirectory: $HOME/images}}\"\n"
	"case $kind in\n"
	"1)	htpasswd -Bbn " REGISTRY_USER " '" REGISTRY_PASSWORD "' >users\n"
	"	echo \"auth: {htpasswd: {realm: here, path: $HOME/users}}\" ;;\n"
	"2)	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \\\n"
	"		-subj /CN=authority -keyout ca.key -out ca.pem\n"
	"	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=registry "
	"\\\n"
	"		-keyout key.pem -out cert.csr\n"
	"	openssl x509 -req -in cert.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
	"\\\n"
	"		-extfile <(echo subjectAltName=IP:127.0.0.1) -out cert.pem\n"
	"	tls=\", tls: {certificate: $HOME/cert.pem, key: $HOME/key.pem}\" ;;\n"
	"esac 2>/dev/null\n"
	"echo \"http: {addr: '$host', secret: tests${tls-}}\"\n";

/*
 * Images as the distribution specification says how to push them: blobs first, in one PUT to the
 * address that a POST gives, then manifests by their tags.
 */
static const char push_images[] =
	"cd \"$HOME\"; base=%s/v2/shop/web\n"
	"ask() { curl --silent --show-error --fail --cacert ca.pem --user '" REGISTRY_USER
	":" REGISTRY_PASSWORD "' \"$@\"; }\n"
	"[ -e ca.pem ] || touch ca.pem\n"
	"digest() { echo \"sha256:$(sha256sum \"$1\" | cut -d ' ' -f 1)\"; }\n"
	"descriptor() { # FILE MEDIA-TYPE\n"
	"	printf '{\"mediaType\":\"%%s\",\"size\":%%d,\"digest\":\"%%s\"' \"$2\" \\\n"
	"		$(stat -c %%s \"$1\") \"$(digest \"$1\")\"\n"
	"}\n"
	"push_blob() {\n"
	"	location=$(ask -i -X POST \"$base/blobs/uploads/\" | tr -d '\\r' |\n"
	"		sed -n 's/^location: //Ip')\n"
	"	ask -X PUT -H 'Content-Type: application/octet-stream' --data-binary \"@$1\" \\\n"
	"		\"$location&digest=$(digest \"$1\")\"\n"
	"}\n"
	"push_manifest() { # FILE MEDIA-TYPE\n"
	"	ask -X PUT -H \"Content-Type: $2\" --data-binary \"@$1\" \"$base/manifests/$1\"\n"
	"}\n"
	"manifest() { # FILE MEDIA-TYPE CONFIG-TYPE LAYER-TYPE\n"
	"	printf "
	"'{\"schemaVersion\":2,\"mediaType\":\"%%s\",\"config\":%%s},\"layers\":[%%s}]}' \\\n"
	"		\"$2\" \"$(descriptor blob \"$3\")\" \"$(descriptor layer \"$4\")\" "
	">\"$1\"\n"
	"	push_manifest \"$1\" \"$2\"\n"
	"}\n"
	"printf '{\"os\":\"linux\",\"architecture\":\"amd64\"}' >blob\n"
	"tar -czf layer --files-from /dev/null\n"
	"push_blob blob; push_blob layer\n"
	"oci=application/vnd.oci.image docker=application/vnd.docker\n"
	"manifest oci $oci.manifest.v1+json $oci.config.v1+json $oci.layer.v1.tar+gzip\n"
	"manifest docker $docker.distribution.manifest.v2+json $docker.container.image.v1+json \\\n"
	"	$docker.image.rootfs.diff.tar.gzip\n"
	"printf '{\"schemaVersion\":2,\"mediaType\":\"%%s\",\"manifests\":[%%s%%s},%%s%%s}]}' \\\n"
	"	$oci.index.v1+json \\\n"
	"	\"$(descriptor oci $oci.manifest.v1+json)\" "
	"',\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}' \\\n"
	"	\"$(descriptor docker $docker.distribution.manifest.v2+json)\" "
	"',\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}' >index\n"
	"push_manifest index $oci.index.v1+json\n"
	"printf '{\"schemaVersion\":2,\"mediaType\":\"%%s\",\"manifests\":[%%s%%s}]}' \\\n"
	"	$oci.index.v1+json \"$(descriptor oci $oci.manifest.v1+json)\" \\\n"
	"	',\"platform\":{\"os\":\"plan9\",\"architecture\":\"mips\"}' >foreign\n"
	"push_manifest foreign $oci.index.v1+json\n";

NORETURN static void become_registry(const char *folder)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(nothing, STDIN_FILENO);
	dup2(nothing, STDOUT_FILENO);
	dup2(nothing, STDERR_FILENO);
	if (chdir(folder) == 0)
		execlp("docker-registry", "docker-registry", "serve", "config.yml", (char *)NULL);
	_exit(1);
}

void test_registry_start(struct test_registry *registry, enum registry_kind kind)
{
	AUTO_FREE char *base = NULL;

	registry->folder = test_folder();
	close(listen_at("127.0.0.1", registry->host));
	test_run(registry->folder, configure, registry->host, (int)kind);
	registry->pid = fork();
	if (registry->pid == 0)
		become_registry(registry->folder);
	for (int tries = 0; !answers(registry->host); tries++) {
		if (tries == 1000)
			fail_msg("docker-registry does not listen");
		poll(NULL, 0, 10);
	}
	base = mem_printf("%s://%s", kind == REGISTRY_BY_TLS ? "https" : "http", registry->host);
	test_run(registry->folder, push_images, base);
}

void test_registry_stop(struct test_registry *registry)
{
	if (registry->pid > 0) {
		kill(registry->pid, SIGKILL);
		waitpid(registry->pid, NULL, 0);
	}
	registry->pid = 0;
	if (registry->folder)
		test_folder_remove(&registry->folder);
}

const char *test_registry_digest(const struct test_registry *registry, struct arena *arena,
				 const char *tag)
{
	AUTO_FREE char *digest =
		test_shell(registry->folder, "sha256sum %s | cut -d ' ' -f 1", tag);

	return arena_printf(arena, "sha256:%s", digest);
}

/* ---- peers ---- */

void peer_listen(struct peer *peer, const char *address)
{
	*peer = (struct peer){.listener = -1};
	peer->listener = listen_at(address, peer->host);
	peer->log = memfd_create("asked", MFD_CLOEXEC);
	assert_true(peer->log >= 0);
}

static void answer_one(int fd, int log, const struct peer_row *rows, size_t n)
{
	char text[16384] = "";
	size_t len = 0;

	while (len < sizeof text - 1 && !strstr(text, "\r\n\r\n")) {
		ssize_t got = read(fd, text + len, sizeof text - 1 - len);

		if (got <= 0)
			return;
		len += (size_t)got;
		text[len] = '\0';
	}
	(void)fs_write_all(log, text, len);
	for (size_t i = 0; i < n; i++) {
		if (!str_starts(text, rows[i].begins) ||
		    (rows[i].with && !strstr(text, rows[i].with)))
			continue;
		(void)fs_write_all(fd, rows[i].answer, strlen(rows[i].answer));
		return;
	}
}

void peer_serve(struct peer *peer, const struct peer_row *rows, size_t n)
{
	fflush(NULL);
	peer->pid = fork();
	if (peer->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_IGN);
		for (;;) {
			int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);

			answer_one(fd, peer->log, rows, n);
			close(fd);
		}
	}
	close(peer->listener);
}

void peer_stop(struct peer *peer)
{
	kill(peer->pid, SIGKILL);
	waitpid(peer->pid, NULL, 0);
	close(peer->log);
}

const char *peer_asked(const struct peer *peer, struct arena *arena)
{
	off_t size = lseek(peer->log, 0, SEEK_END);
	char *text = arena_alloc(arena, (size_t)size + 1);

	assert_int_equal(pread(peer->log, text, (size_t)size, 0), size);
	return text;
}

size_t peer_count(const struct peer *peer, const char *begins)
{
	AUTO_ARENA struct arena *arena = arena_new(0);
	size_t n = 0;

	for (const char *at = peer_asked(peer, arena); (at = strstr(at, begins)); at++)
		n++;
	return n;
}

const char *peer_answer(struct arena *arena, const char *status, const char *headers,
			const char *body)
{
	return arena_printf(arena,
			    "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s",
			    status, strlen(body), headers, body);
}
