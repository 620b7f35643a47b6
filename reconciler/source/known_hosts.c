#include "base/sys.h"
#include "source/known_hosts.h"

#include "base/base64.h"

#define LINE_MAX_FOR_LIBRARY 4000
#define SSH_PORT 22

struct entry {
	char *marker; /* "@revoked", or NULL */
	char *hosts, *type, *key;
	unsigned line;
};

/* ---------------------------------------------------------------- reading lines */

/* The next word of a line, or NULL; *at moves behind it. */
static char *take_word(char **at)
{
	char *word = *at + strspn(*at, " \t\r");
	size_t len = strcspn(word, " \t\r");

	if (len == 0)
		return NULL;
	*at = word + len;
	if (**at)
		*(*at)++ = '\0';
	return word;
}

/* False for an empty line, a comment, or what lacks a part. */
static bool take_entry(char *line, struct entry *out)
{
	char *word = take_word(&line);

	if (!word || *word == '#')
		return false;
	out->marker = *word == '@' ? word : NULL;
	out->hosts = out->marker ? take_word(&line) : word;
	out->type = take_word(&line);
	out->key = out->type ? take_word(&line) : NULL;
	return out->hosts && out->key;
}

/* Calls visit for each entry. */
static void for_each(const char *text, void (*visit)(void *arg, const struct entry *entry),
		     void *arg)
{
	char *copy AUTO_FREE = mem_strdup(text), *next;
	struct entry entry = {0};

	for (char *line = copy; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		entry.line++;
		if (take_entry(line, &entry))
			visit(arg, &entry);
	}
}

/* ---------------------------------------------------------------- names */

/* `*` and `?`, without recursion: the last star takes one more letter when the rest does not fit.
 */
static bool matches(const char *pattern, size_t len, const char *name)
{
	const char *star = NULL, *resume = NULL, *end = pattern + len;

	while (*name) {
		if (pattern < end && *pattern == '*') {
			star = pattern++;
			resume = name;
		} else if (pattern < end && (*pattern == '?' || ascii_lower(*pattern) == *name)) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star + 1;
			name = ++resume;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

/* One pattern of the list fits, and none with "!" in front does. */
static bool names_host(const char *hosts, const char *name)
{
	bool found = false;

	while (*hosts) {
		bool negated = *hosts == '!';
		const char *pattern = hosts + negated;
		size_t len = strcspn(pattern, ",");

		if (matches(pattern, len, name)) {
			if (negated)
				return false;
			found = true;
		}
		hosts = pattern + len;
		hosts += *hosts == ',';
	}
	return found;
}

static void add_name(struct buf *out, const char *host, unsigned port)
{
	if (port == SSH_PORT)
		buf_adds(out, host);
	else
		buf_addf(out, "[%s]:%u", host, port);
}

/* ---------------------------------------------------------------- keys */

/* The type stands in front of the key itself, with its length in four bytes; "" when it does not.
 */
static const char *type_of(const void *key, size_t len, char *out, size_t size)
{
	const unsigned char *bytes = key;
	size_t type_len;

	out[0] = '\0';
	if (len < 4)
		return out;
	type_len = (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 |
		   (size_t)bytes[3];
	if (type_len >= size || type_len > len - 4)
		return out;
	memcpy(out, bytes + 4, type_len);
	out[type_len] = '\0';
	return out;
}

struct question {
	const char *name, *type, *key;
	enum known_host answer;
	unsigned line;
};

/* A later line can make the answer better or worse only in the order of the enumeration's dangers.
 */
static void judge(void *arg, const struct entry *entry)
{
	static const int weight[] = {
		[KNOWN_HOST_UNKNOWN] = 0, [KNOWN_HOST_OTHER_TYPE] = 1, [KNOWN_HOST_CHANGED] = 2,
		[KNOWN_HOST_SAME] = 3,	  [KNOWN_HOST_REVOKED] = 4,
	};
	struct question *question = arg;
	enum known_host answer = KNOWN_HOST_UNKNOWN;
	bool same = str_eq(entry->type, question->type) && str_eq(entry->key, question->key);

	if (!names_host(entry->hosts, question->name))
		return;
	if (entry->marker)
		answer = same && str_eq(entry->marker, "@revoked") ? KNOWN_HOST_REVOKED
								   : KNOWN_HOST_UNKNOWN;
	else if (same)
		answer = KNOWN_HOST_SAME;
	else
		answer = str_eq(entry->type, question->type) ? KNOWN_HOST_CHANGED
							     : KNOWN_HOST_OTHER_TYPE;
	if (weight[answer] > weight[question->answer]) {
		question->answer = answer;
		question->line = entry->line;
	}
}

enum known_host known_hosts_check(const char *text, const char *host, unsigned port,
				  const void *key, size_t key_len, unsigned *line)
{
	struct buf name AUTO_BUF = BUF_INIT(BUF_MAX_LINE),
			encoded AUTO_BUF = BUF_INIT(BUF_MAX_LINE);
	struct question question = {.answer = KNOWN_HOST_UNKNOWN};
	char type[64];

	add_name(&name, host, port);
	base64_add(&encoded, key, key_len);
	question.name = buf_str(&name);
	question.type = type_of(key, key_len, type, sizeof type);
	question.key = buf_str(&encoded);
	if (*question.type)
		for_each(text, judge, &question);
	*line = question.line;
	return question.answer;
}

void known_hosts_add_line(struct buf *out, const char *host, unsigned port, const void *key,
			  size_t key_len)
{
	char type[64];

	add_name(out, host, port);
	buf_addf(out, " %s ", type_of(key, key_len, type, sizeof type));
	base64_add(out, key, key_len);
}

/* ---------------------------------------------------------------- for libssh2 */

static bool is_hashed(const struct entry *entry)
{
	return str_starts(entry->hosts, "|1|");
}

static void note_hashed(void *arg, const struct entry *entry)
{
	bool *found = arg;

	*found |= is_hashed(entry) && !entry->marker;
}

bool known_hosts_has_hashed(const char *text)
{
	bool found = false;

	for_each(text, note_hashed, &found);
	return found;
}

struct selection {
	const char *name; /* of the host */
	const char *type; /* that is wanted now */
	struct buf *out;
};

/* Hashed names are taken as they are: libssh2 sees whether they are the host's. */
static void select_entry(void *arg, const struct entry *entry)
{
	const struct selection *selection = arg;
	bool hashed = is_hashed(entry);

	if (entry->marker || !str_eq(entry->type, selection->type) ||
	    (!hashed && !names_host(entry->hosts, selection->name)) ||
	    strlen(entry->hosts) + strlen(entry->key) > LINE_MAX_FOR_LIBRARY)
		return;
	buf_addf(selection->out, "%s %s %s\n", hashed ? entry->hosts : selection->name, entry->type,
		 entry->key);
}

void known_hosts_for_library(const char *text, const char *host, unsigned port, struct buf *out)
{
	static const char *const types[] = {"ssh-ed25519", "ecdsa-sha2-nistp256",
					    "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
					    "ssh-rsa"};
	struct buf name AUTO_BUF = BUF_INIT(BUF_MAX_LINE);

	add_name(&name, host, port);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct selection selection = {.name = buf_str(&name), .type = types[i], .out = out};

		for_each(text, select_entry, &selection);
	}
}
