#include "base/sys.h"
#include "schema/forms.h"

#include <arpa/inet.h>
#include <signal.h>

#include "base/num.h"
#include "schema/image.h"
#include "schema/semver.h"

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define WORD LOWER UPPER DIGITS

static bool only(const char *text, const char *allowed)
{
	return text[strspn(text, allowed)] == '\0';
}

/* White space and control characters, of ASCII. */
static bool has_blank(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return true;
	}
	return false;
}

static bool is_lower_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool fits_name(const char *text)
{
	if (!is_lower_or_digit(*text))
		return false;
	while (is_lower_or_digit(*text) || *text == '-')
		text++;
	return *text == '\0' && text[-1] != '-';
}

static bool fits_version(const char *text)
{
	return *text && !has_blank(text);
}

static bool fits_image(const char *text)
{
	return image_ref_check(text, NULL) == 0;
}

static bool fits_address(const char *text)
{
	unsigned char raw[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1;
}

static bool fits_path(const char *text)
{
	if (strcmp(text, "/") == 0)
		return true;
	text += *text == '/';
	for (;;) {
		const char *end = strchrnul(text, '/');
		size_t len = (size_t)(end - text);

		if (len == 0 || (len == 1 && text[0] == '.') ||
		    (len == 2 && text[0] == '.' && text[1] == '.'))
			return false;
		for (; text < end; text++) {
			if ((unsigned char)*text < ' ' || *text == 0x7f)
				return false;
		}
		if (!*end)
			return true;
		text = end + 1;
	}
}

static bool fits_absolute(const char *text)
{
	return *text == '/' && fits_path(text);
}

static bool fits_mode(const char *text)
{
	size_t len = strlen(text);

	return only(text, "01234567") && (len == 3 || (len == 4 && text[0] == '0'));
}

unsigned form_mode(const char *text)
{
	unsigned mode = 0;

	for (; *text; text++)
		mode = mode * 8 + (unsigned)(*text - '0');
	return mode;
}

static bool fits_url_path(const char *text)
{
	return *text == '/' && !has_blank(text);
}

/* The next code or range of codes; *text is moved behind it and its comma. */
static bool take_codes(const char **text, int64_t *low, int64_t *high)
{
	char part[8];
	const char *end = strchrnul(*text, ',');
	size_t len = (size_t)(end - *text);

	if (len >= sizeof part)
		return false;
	memcpy(part, *text, len);
	part[len] = '\0';
	*text = *end ? end + 1 : end;
	return form_ports(part, low, high) == 0 && *low >= 100 && *high <= 599;
}

static bool fits_status(const char *text)
{
	int64_t low, high;

	if (!*text || text[strlen(text) - 1] == ',')
		return false;
	while (*text) {
		if (!take_codes(&text, &low, &high))
			return false;
	}
	return true;
}

bool form_status_accepts(const char *text, int64_t status)
{
	int64_t low, high;

	while (*text && take_codes(&text, &low, &high)) {
		if (status >= low && status <= high)
			return true;
	}
	return false;
}

/* A name of a user or group, or a number, that ends at `end`. */
static bool is_account(const char *text, const char *end)
{
	size_t len = (size_t)(end - text);

	if (len == 0)
		return false;
	if (strspn(text, DIGITS) == len)
		return len <= 10;
	return strspn(text, WORD "_-.") == len && strchr(LOWER UPPER "_", *text);
}

static bool fits_user(const char *text)
{
	const char *colon = strchrnul(text, ':');

	if (!is_account(text, colon))
		return false;
	return !*colon || is_account(colon + 1, colon + 1 + strlen(colon + 1));
}

int form_signal(const char *name)
{
	if (!str_starts(name, "SIG"))
		return -1;
	for (int number = 1; number < SIGRTMIN; number++) {
		const char *abbreviation = sigabbrev_np(number);

		if (abbreviation && strcmp(abbreviation, name + 3) == 0)
			return number;
	}
	return -1;
}

static bool fits_signal(const char *text)
{
	return form_signal(text) > 0;
}

static bool fits_email(const char *text)
{
	const char *at = strchr(text, '@');

	return at && at > text && at[1] && !strchr(at + 1, '@') && !has_blank(text);
}

static bool fits_ssh_key(const char *text)
{
	size_t type = strspn(text, LOWER DIGITS "@.-");
	size_t body;

	if (type == 0 || text[type] != ' ')
		return false;
	text += type + 1;
	body = strspn(text, WORD "+/");
	text += body + strspn(text + body, "=");
	return body && (*text == '\0' || *text == ' ') && !strpbrk(text, "\n\r");
}

#define BASE64 LOWER UPPER DIGITS "+/"

static bool fits_public_key(const char *text)
{
	return strlen(text) == 44 && strspn(text, BASE64) == 43 && text[43] == '=';
}

static bool fits_base64(const char *text)
{
	size_t len = strlen(text), body = strspn(text, BASE64);

	return body >= 4 && len % 4 == 0 && len - body <= 2 &&
	       strspn(text + body, "=") == len - body;
}

static bool fits_sealed_key(const char *text)
{
	return *text && only(text, WORD "-._");
}

static bool fits_event(const char *text)
{
	return str_eq(text, "failed") || str_eq(text, "successful") || str_eq(text, "drift");
}

int form_ports(const char *text, int64_t *low, int64_t *high)
{
	char first[8];
	const char *dash = strchr(text, '-');
	size_t len = dash ? (size_t)(dash - text) : strlen(text);

	if (len >= sizeof first)
		return -1;
	memcpy(first, text, len);
	first[len] = '\0';
	if (num_parse_int(first, 1, 65535, low) != 0)
		return -1;
	*high = *low;
	return dash ? num_parse_int(dash + 1, *low, 65535, high) : 0;
}

static bool fits_ports(const char *text)
{
	int64_t low, high;

	return form_ports(text, &low, &high) == 0;
}

/* ---- configuration of containers ---- */

static bool is_domain_label(const char *text, size_t len)
{
	if (len == 0 || len > 63 || text[0] == '-' || text[len - 1] == '-')
		return false;
	return strspn(text, LOWER DIGITS "-") >= len;
}

static bool fits_domain(const char *text)
{
	text += str_starts(text, "*.") ? 2 : 0;
	for (;;) {
		size_t len = strcspn(text, ".");

		if (!is_domain_label(text, len))
			return false;
		if (!text[len])
			return true;
		text += len + 1;
	}
}

static bool fits_registry_url(const char *text)
{
	const char *scheme = strstr(text, "://");
	int64_t port;
	size_t len;

	if (scheme && !str_starts(text, "https://") && !str_starts(text, "http://"))
		return false;
	text = scheme ? scheme + strlen("://") : text;
	len = strspn(text, LOWER DIGITS "._-");
	if (len == 0)
		return false;
	return !text[len] ||
	       (text[len] == ':' && num_parse_int(text + len + 1, 1, 65535, &port) == 0);
}

static bool fits_engine_name(const char *text)
{
	return *text && strchr(WORD, *text) && only(text, WORD "_.-");
}

#define CAPABILITY_WORD(name) #name,
const char *const form_capabilities[] = {CAPABILITIES(CAPABILITY_WORD) "ALL", NULL};

static bool fits_capability_name(const char *text)
{
	for (size_t i = 0; form_capabilities[i]; i++) {
		if (str_eq(form_capabilities[i], text))
			return true;
	}
	return false;
}

static bool fits_capability(const char *text)
{
	return fits_capability_name(text + (*text == '-'));
}

/* A plain path below /dev, from `text`, `len` bytes. */
static bool is_device_path(const char *text, size_t len)
{
	AUTO_FREE char *path = mem_strndup(text, len);

	return str_starts(path, "/dev/") && fits_path(path) && !has_blank(path);
}

static bool is_device_access(const char *text)
{
	static const char *const words[] = {"r", "w", "m", "rw", "rm", "wm", "rwm"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_eq(words[i], text))
			return true;
	}
	return false;
}

static bool fits_device(const char *text)
{
	size_t len = strcspn(text, ":");

	if (!is_device_path(text, len))
		return false;
	if (!text[len])
		return true;
	text += len + 1;
	len = strcspn(text, ":");
	if (!is_device_path(text, len))
		return !text[len] && is_device_access(text);
	return !text[len] || is_device_access(text + len + 1);
}

static bool fits_mark_key(const char *key)
{
	return *key && !has_blank(key) && !strchr(key, '=') && !str_starts(key, "dev.trueup.");
}

static bool fits_option_key(const char *key)
{
	return *key && !has_blank(key);
}

/* ---- stages and strategies ---- */

static bool fits_ring(const char *text)
{
	AUTO_FREE char *number = mem_strdup(text);
	size_t len = strlen(text);
	bool share = len && text[len - 1] == '%';
	int64_t value;

	if (share)
		number[len - 1] = '\0';
	return str_eq(text, "rest") || num_parse_int(number, 1, share ? 100 : 1000, &value) == 0;
}

static bool fits_owner(const char *text)
{
	return fits_name(text + (str_starts(text, "team:") ? strlen("team:") : 0));
}

/* "*", "*" "/5", "8", "8-18", "8-18/2": one entry of a field, cut out of it. */
static bool is_cron_entry(char *text, int64_t low, int64_t high)
{
	char *slash = strchr(text, '/'), *dash;
	int64_t step, from = low, to = high;

	if (slash) {
		*slash = '\0';
		if (num_parse_int(slash + 1, 1, high, &step) != 0)
			return false;
	}
	if (str_eq(text, "*"))
		return true;
	dash = strchr(text, '-');
	if (dash)
		*dash = '\0';
	return num_parse_int(text, low, high, &from) == 0 &&
	       (!dash || num_parse_int(dash + 1, from, high, &to) == 0) && (!slash || dash);
}

static bool is_cron_field(char *text, int64_t low, int64_t high)
{
	for (char *entry = text, *next; entry; entry = next) {
		next = strchr(entry, ',');
		if (next)
			*next++ = '\0';
		if (!is_cron_entry(entry, low, high))
			return false;
	}
	return true;
}

static bool fits_cron(const char *text)
{
	static const int64_t bounds[][2] = {{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}};
	AUTO_FREE char *copy = mem_strdup(text);
	size_t n = 0;

	for (char *field = copy, *next; field; field = next) {
		next = strchr(field, ' ');
		if (next)
			*next++ = '\0';
		if (n == ARRAY_LEN(bounds) || !is_cron_field(field, bounds[n][0], bounds[n][1]))
			return false;
		n++;
		while (next && *next == ' ')
			next++;
	}
	return n == ARRAY_LEN(bounds);
}

static bool fits_time_zone(const char *text)
{
	if (!*text || !strchr(LOWER UPPER, *text))
		return false;
	for (;;) {
		size_t len = strspn(text, WORD "_+-");

		if (len == 0)
			return false;
		if (!text[len])
			return true;
		if (text[len] != '/')
			return false;
		text += len + 1;
	}
}

/* ---- pairs ---- */

static bool fits_env_key(const char *key)
{
	if (!*key || (*key >= '0' && *key <= '9'))
		return false;
	while (is_lower_or_digit(*key) || (*key >= 'A' && *key <= 'Z') || *key == '_' ||
	       *key == '-' || *key == '.')
		key++;
	return *key == '\0';
}

static bool fits_any(const char *text)
{
	(void)text;
	return true;
}

static bool fits_role(const char *text)
{
	return enum_find(&words_role, text) != NULL;
}

static bool fits_label_key(const char *key)
{
	size_t len = strlen(key);

	return len && only(key, WORD "-._/") && strchr(WORD, key[0]) && strchr(WORD, key[len - 1]);
}

static bool fits_label_value(const char *value)
{
	return !has_blank(value);
}

static const struct {
	struct form_row row;
	bool (*fits)(const char *text); /* the text, or a pair's key */
	bool (*value_fits)(const char *text);
} forms[FORMS] = {
#define fits_ENV fits_env_key, fits_any
#define fits_PUBLIC_KEY fits_public_key
#define fits_EVENT fits_event
#define fits_SEALED fits_sealed_key, fits_base64
#define fits_MARKS fits_mark_key, fits_any
#define fits_OPTIONS fits_option_key, fits_any
#define fits_MEMBERS fits_name, fits_role
#define fits_LABELS fits_label_key, fits_label_value
#define fits_REQUIRES fits_name, semver_is_range
#define fits_NAME fits_name
#define fits_VERSION fits_version
#define fits_IMAGE fits_image
#define fits_ADDRESS fits_address
#define fits_PATH fits_path
#define fits_ABSOLUTE fits_absolute
#define fits_MODE fits_mode
#define fits_URL_PATH fits_url_path
#define fits_STATUS fits_status
#define fits_USER fits_user
#define fits_SIGNAL fits_signal
#define fits_EMAIL fits_email
#define fits_SSH_KEY fits_ssh_key
#define fits_PORTS fits_ports
#define fits_REGISTRY_URL fits_registry_url
#define fits_DOMAIN fits_domain
#define fits_ENGINE_NAME fits_engine_name
#define fits_CAPABILITY_NAME fits_capability_name
#define fits_CAPABILITY fits_capability
#define fits_DEVICE fits_device
#define fits_RING fits_ring
#define fits_OWNER fits_owner
#define fits_CRON fits_cron
#define fits_TIME_ZONE fits_time_zone
#define TEXT_FORM(constant, name, pattern, text)                                                   \
	[FORM_##constant] = {{name, pattern, NULL, text, NULL}, fits_##constant, NULL},
#define PAIR_FORM(constant, name, key_pattern, value_pattern, text, value_text)                    \
	[FORM_##constant] = {{name, key_pattern, value_pattern, text, value_text}, fits_##constant},
#include "schema/forms.def"
#undef TEXT_FORM
#undef PAIR_FORM
};

const struct form_row *form_row(enum form form)
{
	return &forms[form].row;
}

bool form_text_fits(enum form form, const char *text)
{
	return form == FORM_NONE || forms[form].fits(text);
}

bool form_key_fits(enum form form, const char *key)
{
	return form == FORM_NONE || forms[form].fits(key);
}

bool form_value_fits(enum form form, const char *value)
{
	return form == FORM_NONE || forms[form].value_fits(value);
}

bool form_takes_null(enum form form)
{
	return form == FORM_ENV || form == FORM_MARKS || form == FORM_OPTIONS;
}
