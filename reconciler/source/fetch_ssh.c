#include "base/sys.h"
#include "source/fetch_ssh.h"

#include "base/fs.h"
#include "source/known_hosts.h"

#define KEY_FILE "id_ed25519"

void ssh_login_release(struct ssh_login *login)
{
	credentials_wipe(&login->key);
	buf_release(&login->known);
}

static int make_home(const struct ssh_login *login, const char *state_dir, struct err *err)
{
	char *home AUTO_FREE = mem_printf("%s/fetch-home", state_dir);
	char *folder AUTO_FREE = mem_printf("%s/.ssh", home);
	char *file AUTO_FREE = mem_printf("%s/known_hosts", folder);
	struct buf lines AUTO_BUF = BUF_INIT(2 * CREDENTIALS_FILE_MAX);

	known_hosts_for_library(buf_str(&login->known), login->url->host, login->url->port, &lines);
	if (fs_make_dirs(folder, 0700, err) != 0 ||
	    fs_write_replace(file, buf_str(&lines), lines.len, 0600, err) != 0)
		return -1;
	if (setenv("HOME", home, 1) != 0)
		mem_exhausted();
	return 0;
}

int ssh_login_read(struct ssh_login *login, const struct url *url, const char *dir,
		   const char *state_dir, struct err *err)
{
	struct err why = ERR_INIT;

	*login = (struct ssh_login){.url = url,
				    .dir = dir,
				    .key = BUF_INIT(CREDENTIALS_FILE_MAX + 1),
				    .known = BUF_INIT(CREDENTIALS_FILE_MAX)};
	if (!dir)
		return err_set(err, E_CREDENTIALS,
			       "ssh needs credentials: a folder with " KEY_FILE
			       " and known_hosts, named by the setting `credentials`");
	if (credentials_read(dir, KEY_FILE, &login->key, &why) != 0)
		return err_set(err, E_CREDENTIALS, "%s", why.text);
	buf_addc(&login->key, '\n');
	/* without known_hosts, the host is unknown: that error says what to write into it */
	if (credentials_read(dir, "known_hosts", &login->known, &why) != 0 &&
	    why.code != E_NOT_FOUND)
		return err_set(err, why.code, "%s", why.text);
	return make_home(login, state_dir, err);
}

/* ---------------------------------------------------------------- the server */

static int refuse(const struct ssh_login *login, const git_cert_hostkey *host,
		  enum known_host verdict, unsigned line, struct err *err)
{
	const struct url *url = login->url;
	struct buf add AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	known_hosts_add_line(&add, url->host, url->port, host->hostkey, host->hostkey_len);
	if (verdict == KNOWN_HOST_REVOKED)
		return err_set(err, E_REMOTE_AUTH,
			       "%s shows a host key that line %u of %s/known_hosts revokes",
			       url->host, line, login->dir);
	if (verdict == KNOWN_HOST_CHANGED)
		return err_set(err, E_REMOTE_AUTH,
			       "THE HOST KEY OF %s HAS CHANGED from the one in line %u of "
			       "%s/known_hosts: somebody may be in between. If the server really "
			       "has a new key, replace that line with: %s",
			       url->host, line, login->dir, buf_str(&add));
	return err_set(
		err, E_REMOTE_AUTH,
		"the host key of %s is not known%s. Make sure that it is the right one, then "
		"add this line to %s/known_hosts: %s",
		url->host, verdict == KNOWN_HOST_OTHER_TYPE ? " (keys of other types are)" : "",
		login->dir, buf_str(&add));
}

int ssh_judge_host(struct ssh_login *login, const git_cert_hostkey *host, bool library_knows,
		   struct err *err)
{
	const char *known = buf_str(&login->known);
	enum known_host verdict;
	unsigned line;

	if (!(host->type & GIT_CERT_SSH_RAW))
		return err_set(err, E_REMOTE_AUTH, "%s shows no host key", login->url->host);
	verdict = known_hosts_check(known, login->url->host, login->url->port, host->hostkey,
				    host->hostkey_len, &line);
	if (verdict == KNOWN_HOST_SAME)
		return 0;
	if (verdict == KNOWN_HOST_UNKNOWN && library_knows && known_hosts_has_hashed(known))
		return 0;
	return refuse(login, host, verdict, line, err);
}

/* ---------------------------------------------------------------- us */

int ssh_credential(struct ssh_login *login, unsigned types, git_credential **out, struct err *err)
{
	const char *user = login->url->user;
	int result = -1;

	if (types & GIT_CREDENTIAL_USERNAME)
		return git_credential_username_new(out, user);
	if (login->offered || !(types & (GIT_CREDENTIAL_SSH_KEY | GIT_CREDENTIAL_SSH_MEMORY)))
		return err_set(err, E_REMOTE_AUTH,
			       "%s refuses the key %s/" KEY_FILE " for the user %s",
			       login->url->host, login->dir, user);
	login->offered = true;
	result = git_credential_ssh_key_memory_new(out, user, NULL, buf_str(&login->key), NULL);
	if (result != 0)
		return gitlib_fail(err, E_CREDENTIALS, "%s/" KEY_FILE, login->dir);
	return 0;
}
