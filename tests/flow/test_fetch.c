#include "tests/support/test.h"
#include "tests/support/shell.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "source/fetch.h"
#include "source/tree.h"

/*
 * One folder with an sshd, an nginx and a git daemon for the repository repos/c.git, and "work", a
 * clone that can push to it. Each test has a state directory and credentials of its own.
 */
static struct {
	char *folder, *ssh_port, *https_port, *canary_port, *git_port;
	char *state_dir, *credentials;
	unsigned tests;
} world;

#define PATIENCE_MS 60000 /* what works may take long on a slow machine */

/* ---------------------------------------------------------------- servers */

static char *port_of(const char *output, const char *name)
{
	const char *at = strstr(output, name);

	if (!at)
		fail_msg("no %s in: %s", name, output);
	at += strlen(name) + 1;
	return mem_strndup(at, strcspn(at, "\n"));
}

static int start(void **state)
{
	char *here AUTO_FREE = getcwd(NULL, 0), *output AUTO_FREE = NULL;

	(void)state;
	world.folder = test_folder();
	test_run(world.folder,
		 "git init -q --bare repos/c.git; git clone -q repos/c.git work 2>&1\n"
		 "cd work; echo n: 1 >a.yaml; git add .; git commit -qm 1\n"
		 "git push -q origin main");
	output = test_shell(world.folder,
			    "servers=%s/tests/support/git_servers.sh; cp $servers servers.sh\n"
			    "./servers.sh start_sshd $PWD\n"
			    "./servers.sh start_nginx $PWD $PWD/repos\n"
			    "./servers.sh start_git_daemon $PWD $PWD/repos",
			    here);
	world.ssh_port = port_of(output, "SSH_PORT");
	world.https_port = port_of(output, "HTTPS_PORT");
	world.canary_port = port_of(output, "CANARY_PORT");
	world.git_port = port_of(output, "GIT_PORT");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	test_run(world.folder, "./servers.sh stop_servers $PWD");
	test_folder_remove(&world.folder);
	free(world.ssh_port);
	free(world.https_port);
	free(world.canary_port);
	free(world.git_port);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	world.tests++;
	world.state_dir = mem_printf("%s/state%u", world.folder, world.tests);
	world.credentials = mem_printf("%s/credentials%u", world.folder, world.tests);
	test_run(world.folder, "mkdir -m 700 state%u credentials%u", world.tests, world.tests);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(world.state_dir);
	free(world.credentials);
	return 0;
}

/* ---------------------------------------------------------------- fetching */

struct outcome {
	int result;
	struct oid id;
	struct err err;
};

struct call {
	struct fetch_request request;
	struct outcome *outcome; /* shared with the child */
};

static void fetch_in_child(void *arg)
{
	struct call *call = arg;

	call->outcome->result =
		fetch_branch(&call->request, &call->outcome->id, &call->outcome->err);
}

/* What fetch_branch, in a child as it has to be, gave. */
static struct outcome fetch_as(struct fetch_request request)
{
	struct outcome *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct call call = {.request = request, .outcome = shared};
	struct outcome out;
	int status;

	assert_ptr_not_equal(shared, MAP_FAILED);
	shared->result = 1;
	status = test_in_child(fetch_in_child, &call, NULL, 0);
	assert_int_equal(status, 0);
	out = *shared;
	munmap(shared, sizeof *shared);
	return out;
}

static struct outcome fetch(const char *url, const char *branch)
{
	return fetch_as((struct fetch_request){.url = url,
					       .branch = branch,
					       .state_dir = world.state_dir,
					       .credentials_dir = world.credentials,
					       .connect_ms = PATIENCE_MS});
}

static void assert_refused(struct outcome outcome, enum err_code code, const char *word)
{
	assert_int_equal(outcome.result, -1);
	if (outcome.err.code != code || !strstr(outcome.err.text, word))
		fail_msg("%s, without %s: %s", err_code_name(outcome.err.code), word,
			 outcome.err.text);
}

static struct oid tip(const char *branch)
{
	return test_shell_id(world.folder, "git -C repos/c.git rev-parse %s", branch);
}

/* The mirror has the branch at that commit, with all that is in it. */
static void assert_mirror(const char *url, const char *branch, const struct oid *wanted)
{
	struct repo *repo AUTO_REPO = NULL;
	struct arena *arena AUTO_ARENA = arena_new(0);
	struct err err = ERR_INIT;
	struct tree tree;
	struct oid id;

	assert_done(repo_open(url, world.state_dir, &repo, &err), err);
	assert_done(repo_branch(repo, branch, &id, &err), err);
	assert_true(oid_eq(&id, wanted));
	assert_done(tree_list(repo, &id, NULL, 0, arena, &tree, &err), err);
	for (size_t i = 0; i < tree.entries_n; i++) {
		struct buf out AUTO_BUF = BUF_INIT(1 << 20);

		assert_done(repo_blob(repo, &tree.entries[i].blob, 1 << 20, &out, &err), err);
	}
}

static void assert_fetched(const char *url, const char *branch)
{
	struct outcome outcome = fetch(url, branch);
	struct oid wanted = tip(branch);

	if (outcome.result != 0)
		fail_msg("%s: %s", url, outcome.err.text);
	assert_true(oid_eq(&outcome.id, &wanted));
	assert_mirror(url, branch, &wanted);
}

/* Something new on main. */
static void push(void)
{
	static unsigned count;

	count++;
	test_run(world.folder,
		 "cd work; echo n: %u >n%u.yaml; git add .; git commit -qm %u\n"
		 "git push -q",
		 count, count % 10, count);
}

static char *git_url(void)
{
	return mem_printf("git://127.0.0.1:%s/c.git", world.git_port);
}

static char *https_url(const char *place)
{
	return mem_printf("https://127.0.0.1:%s/%s/c.git", world.https_port, place);
}

static char *ssh_url(void)
{
	char *user AUTO_FREE = test_shell(world.folder, "id -un");

	return mem_printf("ssh://%s@127.0.0.1:%s%s/repos/c.git", user, world.ssh_port,
			  world.folder);
}

static void give_https_login(const char *user, const char *password)
{
	test_run(world.credentials,
		 "umask 077; cp ../https/ca.pem .; echo %s >username\n"
		 "echo %s >password",
		 user, password);
}

static void give_ssh_login(void)
{
	test_run(world.credentials, "umask 077; cp ../ssh/client/{id_ed25519,known_hosts} .");
}

/* ---------------------------------------------------------------- what works */

static void fetch_a_few_times(const char *url)
{
	assert_fetched(url, "main");
	assert_fetched(url, "main");
	push();
	assert_fetched(url, "main");
	test_run(world.folder, "cd work; git commit -q --amend -m rewritten; git push -qf");
	assert_fetched(url, "main");
	test_run(world.folder, "cd work; git push -q origin main:main/x 2>&1 || true\n"
			       "git push -qf origin main:feature/x");
	assert_fetched(url, "feature/x");
	assert_fetched(url, "main");
}

static void test_git(void **state)
{
	char *url AUTO_FREE = git_url();

	(void)state;
	fetch_a_few_times(url);
}

static void test_https(void **state)
{
	char *url AUTO_FREE = https_url("git"), *slash AUTO_FREE = mem_printf("%s/", url);

	(void)state;
	give_https_login("ann", "s3cret");
	fetch_a_few_times(url);
	assert_fetched(slash, "main");
}

static void test_https_token(void **state)
{
	char *url AUTO_FREE = https_url("git");

	(void)state;
	test_run(world.credentials, "umask 077; cp ../https/ca.pem .; echo ann >username\n"
				    "echo s3cret >token; echo wrong >password");
	assert_fetched(url, "main");
}

static void test_https_without_login(void **state)
{
	char *url AUTO_FREE = https_url("open");

	(void)state;
	test_run(world.credentials, "umask 077; cp ../https/ca.pem .");
	assert_fetched(url, "main");
}

static void test_ssh(void **state)
{
	char *url AUTO_FREE = ssh_url();

	(void)state;
	give_ssh_login();
	fetch_a_few_times(url);
}

static void test_ssh_with_other_known_hosts(void **state)
{
	static const char *const scripts[] = {
		/* hashed, as Debian's ssh writes it */
		"ssh-keygen -q -H -f known_hosts; rm known_hosts.old; grep -q '^|1|' known_hosts",
		/* keys of several types, the one that is looked for not first */
		"{ sed 's/ssh-ed25519.*/ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQ==/' known_hosts\n"
		"cut -d' ' -f1-2 ../ssh/host_ecdsa.pub | sed \"s/^/$(cut -d' ' -f1 known_hosts) "
		"/\"\n"
		"cat known_hosts; } >k; mv k known_hosts",
		/* only the other type that the server has */
		"cut -d' ' -f1-2 ../ssh/host_ecdsa.pub | sed \"s/^/$(cut -d' ' -f1 known_hosts) "
		"/\" >k\n"
		"mv k known_hosts",
		/* noise */
		"{ echo '# comment'; echo; echo 'git.example.org,10.* ssh-ed25519 AAAA'\n"
		"echo '@cert-authority * ssh-ed25519 AAAA'; echo 'broken'; printf 'x y z "
		"\\xff\\n'\n"
		"cat known_hosts; } >k; mv k known_hosts",
		/* a pattern */
		"sed -i 's/^[^:]*/[127.0.?.*]/' known_hosts",
	};
	char *url AUTO_FREE = ssh_url();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		give_ssh_login();
		test_run(world.credentials, "umask 077; %s; chmod 600 known_hosts", scripts[i]);
		assert_fetched(url, "main");
	}
}

/* Each fetch adds a pack; here as many as make the next one tidy up are added by hand. */
static void test_packs_are_bounded(void **state)
{
	char *url AUTO_FREE = git_url();

	(void)state;
	assert_fetched(url, "main");
	test_run(world.state_dir, "cd mirror-*; for i in $(seq 50); do\n"
				  "  git commit-tree -m $i main: | git pack-objects -q "
				  "objects/pack/pack; done >/dev/null; git prune-packed -q\n"
				  "test $(ls objects/pack/*.pack | wc -l) = 51");
	push();
	assert_fetched(url, "main");
	test_run(world.state_dir, "cd mirror-*; test $(ls objects/pack/*.pack | wc -l) = 1\n"
				  "test $(ls objects/pack/*.idx | wc -l) = 1; git fsck --strict");
	push();
	assert_fetched(url, "main");
}

static void test_another_address_replaces_the_mirror(void **state)
{
	char *git AUTO_FREE = git_url(), *https AUTO_FREE = https_url("git");

	(void)state;
	give_https_login("ann", "s3cret");
	assert_fetched(git, "main");
	assert_fetched(https, "main");
	test_run(world.state_dir, "test $(ls -d mirror-* | wc -l) = 1");
}

static void test_branch_missing(void **state)
{
	char *url AUTO_FREE = git_url();
	struct oid before = tip("main");

	(void)state;
	assert_fetched(url, "main");
	test_run(world.folder, "git -C repos/c.git update-ref -d refs/heads/main");
	assert_refused(fetch(url, "main"), E_BRANCH_MISSING, "main");
	assert_mirror(url, "main", &before);
	test_run(world.folder, "cd work; git push -q origin main");
	assert_refused(fetch(url, "nowhere"), E_BRANCH_MISSING, "nowhere");
	assert_refused(fetch(url, "../x"), E_USAGE, "../x");
	assert_fetched(url, "main");
}

/* ---------------------------------------------------------------- who may not */

static void test_https_wrong_password(void **state)
{
	char *url AUTO_FREE = https_url("git");

	(void)state;
	give_https_login("ann", "guessed");
	assert_refused(fetch(url, "main"), E_REMOTE_AUTH, "refused");
	test_run(world.credentials, "rm username password");
	assert_refused(fetch(url, "main"), E_REMOTE_AUTH, "wants credentials");
	give_https_login("ann", "s3cret");
	assert_fetched(url, "main");
}

static void test_https_certificates(void **state)
{
	char *url AUTO_FREE = https_url("git");
	char *name AUTO_FREE = mem_printf("https://localhost:%s/git/c.git", world.https_port);

	(void)state;
	give_https_login("ann", "s3cret");
	assert_refused(fetch(name, "main"), E_REMOTE_AUTH, "localhost");
	test_run(world.credentials, "cp ../https/other.pem ca.pem");
	assert_refused(fetch(url, "main"), E_REMOTE_AUTH, "ca.pem");
	test_run(world.credentials, "rm ca.pem");
	assert_refused(fetch(url, "main"), E_REMOTE_AUTH, "certificate");
	test_run(world.credentials, "umask 077; echo nonsense >ca.pem");
	assert_refused(fetch(url, "main"), E_REMOTE_AUTH, "ca.pem");
}

static void test_ssh_refused_key(void **state)
{
	char *url AUTO_FREE = ssh_url();

	(void)state;
	give_ssh_login();
	test_run(world.credentials, "rm id_ed25519; ssh-keygen -q -t ed25519 -N '' -f id_ed25519");
	assert_refused(fetch(url, "main"), E_REMOTE_AUTH, "refuses the key");
	test_run(world.credentials, "echo nonsense >id_ed25519");
	assert_refused(fetch(url, "main"), E_REMOTE_AUTH, "id_ed25519");
}

static void test_ssh_unknown_host(void **state)
{
	char *url AUTO_FREE = ssh_url(), *line AUTO_FREE = NULL;
	struct outcome outcome;

	(void)state;
	give_ssh_login();
	test_run(world.credentials, "rm known_hosts");
	outcome = fetch(url, "main");
	assert_refused(outcome, E_REMOTE_AUTH, "not known");
	/* it says the exact line that makes it work */
	line = mem_strdup(strstr(outcome.err.text, "known_hosts: ") + strlen("known_hosts: "));
	test_run(world.credentials, "umask 077; echo '%s' >known_hosts", line);
	assert_fetched(url, "main");
	/* the port counts */
	test_run(world.credentials, "sed -i 's/^[^ ]*/127.0.0.1/' known_hosts");
	assert_refused(fetch(url, "main"), E_REMOTE_AUTH, "not known");
}

static void test_ssh_changed_host(void **state)
{
	static const char *const scripts[] = {
		"ssh-keygen -q -t ed25519 -N '' -C '' -f other\n"
		"sed -i \"s|ssh-ed25519.*|$(cut -d' ' -f1,2 other.pub)|\" known_hosts; rm other*",
		"sed -i 's/^/@revoked /' known_hosts; sed 's/^@revoked //' known_hosts "
		">>known_hosts",
	};
	static const char *const words[] = {"HAS CHANGED", "revokes"};
	char *url AUTO_FREE = ssh_url();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		give_ssh_login();
		test_run(world.credentials, "umask 077; %s", scripts[i]);
		assert_refused(fetch(url, "main"), E_REMOTE_AUTH, words[i]);
	}
}

static void test_credentials_open_to_others(void **state)
{
	char *https AUTO_FREE = https_url("git"), *ssh AUTO_FREE = ssh_url();

	(void)state;
	give_https_login("ann", "s3cret");
	give_ssh_login();
	test_run(world.credentials, "chmod 644 password id_ed25519");
	assert_refused(fetch(https, "main"), E_CREDENTIALS, "chmod 600");
	assert_refused(fetch(ssh, "main"), E_CREDENTIALS, "chmod 600");
	test_run(world.credentials, "chmod 600 password id_ed25519; chmod 755 .");
	assert_refused(fetch(https, "main"), E_CREDENTIALS, "chmod 700");
	test_run(world.credentials, "chmod 700 .; rm id_ed25519");
	assert_refused(fetch(ssh, "main"), E_CREDENTIALS, "id_ed25519");
	test_run(world.credentials, "rm password");
	assert_refused(fetch(https, "main"), E_CREDENTIALS, "no password");
}

/* ---------------------------------------------------------------- lying servers */

static void test_redirects_are_refused_and_get_no_credentials(void **state)
{
	static const char *const places[] = {"away", "moved"};

	(void)state;
	give_https_login("ann", "s3cret");
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char *url AUTO_FREE = https_url(places[i]);
		struct outcome outcome = fetch(url, "main");

		assert_refused(outcome, E_REMOTE_UNREACHABLE, "redirects");
		assert_non_null(strstr(outcome.err.text, "/git/c.git"));
	}
	/* the canary works, and nobody has called it */
	test_run(world.folder,
		 "test ! -s https/canary.log\n"
		 "curl -sk -u x:y https://127.0.0.1:%s/git/c.git >/dev/null\n"
		 "grep -q 'Basic eDp5' https/canary.log; : >https/canary.log",
		 world.canary_port);
}

static void test_https_nonsense(void **state)
{
	static const struct {
		const char *place, *word;
	} rows[] = {{"garbage", "garbage"}, {"broken", "500"}, {"none", "404"}};

	(void)state;
	give_https_login("ann", "s3cret");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *url AUTO_FREE = https_url(rows[i].place);

		assert_refused(fetch(url, "main"), E_REMOTE_UNREACHABLE, rows[i].word);
	}
}

/* Listens, answers each connection with the text (NULL: nothing, ever), and keeps it open. */
static pid_t start_liar(const char *answer, unsigned *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	pid = fork();
	while (pid == 0) {
		int peer = accept(listener, NULL, NULL);

		if (peer >= 0 && answer)
			(void)fs_write_all(peer, answer, strlen(answer));
	}
	close(listener);
	return pid;
}

static void stop_liar(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static struct outcome fetch_from_liar(const char *scheme, const char *answer)
{
	unsigned port;
	pid_t pid = start_liar(answer, &port);
	char *url AUTO_FREE = mem_printf("%s://127.0.0.1:%u/c.git", scheme, port);
	struct outcome outcome =
		fetch_as((struct fetch_request){.url = url,
						.branch = "main",
						.state_dir = world.state_dir,
						.credentials_dir = world.credentials,
						.connect_ms = 200,
						.stall_ms = 200});

	stop_liar(pid);
	return outcome;
}

static void test_silence(void **state)
{
	(void)state;
	give_https_login("ann", "s3cret");
	give_ssh_login();
	assert_refused(fetch_from_liar("git", NULL), E_REMOTE_UNREACHABLE, "silent");
	assert_refused(fetch_from_liar("ssh", NULL), E_REMOTE_UNREACHABLE, "silent");
	assert_refused(fetch_from_liar("https", NULL), E_REMOTE_UNREACHABLE, "127.0.0.1");
	/* and in the middle of a conversation */
	assert_refused(fetch_from_liar("git", "0032"), E_REMOTE_UNREACHABLE, "silent");
	assert_refused(fetch_from_liar("ssh", "SSH-2.0-liar\r\n"), E_REMOTE_UNREACHABLE, "silent");
}

static void test_nonsense(void **state)
{
	static const char *const schemes[] = {"git", "ssh", "https"};
	static const char *const answers[] = {
		"HTTP/1.1 200 OK\r\n\r\n",
		"zzzz\n",
		"ffff\x01",
		"0003",
		"0008abcd0000",
		"003f1234567812345678123456781234567812345678 refs/heads/main\n0000",
		"SSH-2.0-x\r\n\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	};

	(void)state;
	give_https_login("ann", "s3cret");
	give_ssh_login();
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		for (size_t j = 0; j < ARRAY_LEN(answers); j++)
			assert_refused(fetch_from_liar(schemes[i], answers[j]),
				       E_REMOTE_UNREACHABLE, "127.0.0.1");
	}
}

static void test_nobody_listens(void **state)
{
	static const char *const urls[] = {"git://127.0.0.1:1/c", "ssh://127.0.0.1:1/c",
					   "https://127.0.0.1:1/c"};

	(void)state;
	give_ssh_login();
	for (size_t i = 0; i < ARRAY_LEN(urls); i++)
		assert_refused(fetch(urls[i], "main"), E_REMOTE_UNREACHABLE, "127.0.0.1");
	assert_refused(fetch("/srv/git/c.git", "main"), E_USAGE, "on this machine");
}

static void test_pack_over_the_cap(void **state)
{
	char *urls[] = {git_url(), https_url("git"), ssh_url()};
	struct oid before = tip("main");

	(void)state;
	give_https_login("ann", "s3cret");
	give_ssh_login();
	test_run(world.folder, "cd work; head -c 3000000 /dev/urandom >big; git add big\n"
			       "git commit -qm big; git push -q origin main:big\n"
			       "git reset -q --hard HEAD~1");
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct fetch_request request = {.url = urls[i],
						.branch = "main",
						.state_dir = world.state_dir,
						.credentials_dir = world.credentials,
						.pack_max = 1000000,
						.connect_ms = PATIENCE_MS};

		assert_int_equal(fetch_as(request).result, 0);
		request.branch = "big";
		assert_refused(fetch_as(request), E_TOO_LARGE, "1000000");
		request.branch = "main";
		assert_int_equal(fetch_as(request).result, 0);
		assert_mirror(urls[i], "main", &before);
		request.branch = "big";
		request.pack_max = 10000000;
		assert_int_equal(fetch_as(request).result, 0);
		free(urls[i]);
	}
	test_run(world.state_dir, "test -z \"$(ls mirror-*/fetch.body 2>/dev/null)\"");
}

/* A commit whose tree lacks a file: git itself would not send it, so the repository is broken
 * first. */
static void test_incomplete_pack(void **state)
{
	char *url AUTO_FREE = git_url();
	struct oid before;

	(void)state;
	assert_fetched(url, "main");
	before = tip("main");
	test_run(world.folder, "cd work; tree=$(printf '100644 blob "
			       "1234567812345678123456781234567812345678\\tx.yaml\\n' |\n"
			       "  git mktree --missing)\n"
			       "bad=$(git commit-tree -m bad -p main $tree)\n"
			       "cd ../repos/c.git; git -C ../../work cat-file commit $bad |\n"
			       "  git hash-object -w -t commit --stdin >/dev/null\n"
			       "git -C ../../work cat-file tree $tree |\n"
			       "  git hash-object -w -t tree --literally --stdin >/dev/null\n"
			       "echo $bad >refs/heads/main");
	assert_int_equal(fetch(url, "main").result, -1);
	test_run(world.folder, "cd repos/c.git; git update-ref refs/heads/main %s\n",
		 oid_hex(&before, (char[OID_HEX_SIZE]){0}));
	assert_fetched(url, "main");
}

static void fetch_forever(void *arg)
{
	struct call *call = arg;

	fetch_branch(&call->request, &call->outcome->id, &call->outcome->err);
}

/* Killed at many moments, the branch is where it was or where it is to be, and a fetch mends all.
 */
static void test_killed(void **state)
{
	char *url AUTO_FREE = git_url();

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		struct outcome outcome;
		struct call call = {
			.request = {.url = url, .branch = "main", .state_dir = world.state_dir},
			.outcome = &outcome};
		pid_t pid;

		push();
		pid = fork();
		if (pid == 0) {
			fetch_forever(&call);
			_exit(0);
		}
		usleep(300 * (1u << (i % 8)));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (i % 2)
			assert_fetched(url, "main");
	}
	test_run(world.state_dir, "git -C mirror-* fsck --strict\n"
				  "git -C mirror-* count-objects -v | grep 'garbage: 0'");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_git),
		TEST(test_https),
		TEST(test_https_token),
		TEST(test_https_without_login),
		TEST(test_ssh),
		TEST(test_ssh_with_other_known_hosts),
		TEST(test_packs_are_bounded),
		TEST(test_another_address_replaces_the_mirror),
		TEST(test_branch_missing),
		TEST(test_https_wrong_password),
		TEST(test_https_certificates),
		TEST(test_ssh_refused_key),
		TEST(test_ssh_unknown_host),
		TEST(test_ssh_changed_host),
		TEST(test_credentials_open_to_others),
		TEST(test_redirects_are_refused_and_get_no_credentials),
		TEST(test_https_nonsense),
		TEST(test_silence),
		TEST(test_nonsense),
		TEST(test_nobody_listens),
		TEST(test_pack_over_the_cap),
		TEST(test_incomplete_pack),
		TEST(test_killed),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
