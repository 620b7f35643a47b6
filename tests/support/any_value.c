#include "base/sys.h"
#include "tests/support/any_value.h"

#include "schema/forms.h"

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

size_t any_below(uint64_t *seed, size_t n)
{
	return (size_t)(next(seed) % n);
}

/* ---- random values, as JSON ---- */

static const char *const texts_by_form[FORMS][4] = {
	[FORM_NONE] = {"plain", "with \"quotes\" and \\", "line\nline",
		       "\xc3\xa4 \xe2\x80\xa8 \x7f"},
	[FORM_NAME] = {"a", "web-1", "x0", "long-name-with-dashes"},
	[FORM_VERSION] = {"1.0", "2.0.0-rc.1", "nightly", "1.10"},
	[FORM_IMAGE] = {"local/a:1", "local/a/b:1.0", "local/c:x", "local/d__e:2"},
	[FORM_ADDRESS] = {"127.0.0.1", "::1", "0.0.0.0", "10.1.2.3"},
	[FORM_PATH] = {"data", "a/b", "/srv/x", "etc/app.conf"},
	[FORM_ABSOLUTE] = {"/", "/srv", "/srv/a", "/a/b/c"},
	[FORM_MODE] = {"0644", "600", "0755", "0400"},
	[FORM_URL_PATH] = {"/", "/health", "/a?b=c", "/x/y"},
	[FORM_STATUS] = {"200", "200-399", "200,204", "100-599,404"},
	[FORM_USER] = {"www-data", "1000:1000", "a:b", "nobody"},
	[FORM_SIGNAL] = {"SIGTERM", "SIGINT", "SIGUSR1", "SIGQUIT"},
	[FORM_EMAIL] = {"a@b", "c@d.org", "e.f@g", "x+y@z"},
	[FORM_SSH_KEY] = {"ssh-ed25519 AAAA", "ssh-rsa BB== c", "ssh-ed25519 CC", "ssh-rsa DD"},
	[FORM_PORTS] = {"80", "1024-65535", "443", "1-2"},
	[FORM_REGISTRY_URL] = {"a.org", "https://b.org", "http://localhost:5000", "c.d:80"},
	[FORM_DOMAIN] = {"a", "shop.example.org", "*.example.org", "x-1.y"},
	[FORM_ENGINE_NAME] = {"a", "front_end", "Back.end-2", "0"},
	[FORM_CAPABILITY_NAME] = {"ALL", "NET_ADMIN", "CHOWN", "WAKE_ALARM"},
	[FORM_CAPABILITY] = {"NET_ADMIN", "-ALL", "-NET_RAW", "SYS_TIME"},
	[FORM_DEVICE] = {"/dev/fuse", "/dev/a:/dev/b", "/dev/a/b:/dev/c:rwm", "/dev/x:r"},
	[FORM_RING] = {"1", "10%", "rest", "25"},
	[FORM_OWNER] = {"ann", "team:web", "b-2", "x0"},
	[FORM_CRON] = {"* 8-18 * * 1-5", "0 0 1 1 *", "*/5 * * * *", "1,2 3 4-5 6 7"},
	[FORM_TIME_ZONE] = {"UTC", "Europe/Berlin", "Etc/GMT+1", "CET"},
	[FORM_PUBLIC_KEY] = {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
			     "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB=",
			     "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC=",
			     "DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD="},
	[FORM_EVENT] = {"failed", "successful", "drift", "failed"},
	[FORM_SEALED] = {"password", "A.b", "c_d", "e-f"},
	[FORM_MARKS] = {"a", "traefik.http.routers.a.rule", "x/y", "B_C"},
	[FORM_OPTIONS] = {"max-size", "a", "max-file", "tag"},
	[FORM_ENV] = {"A", "B_C", "d.e", "_F"},
	[FORM_LABELS] = {"a", "b/c", "d.e", "f-g"},
	[FORM_REQUIRES] = {"a", "ledger", "b-2", "x0"},
	[FORM_MEMBERS] = {"ann", "bob", "cy", "dan"},
};

static void add_object(uint64_t *seed, const struct object_type *type, bool nulls, size_t key,
		       struct buf *out);

static const char *map_value(uint64_t *seed, enum form form)
{
	static const char *const roles[] = {"owner", "user"};
	static const char *const ranges[] = {">= 2.0.0", "1.4"};
	static const char *const sealed[] = {"AAAA", "BBBBBB=="};
	size_t choice = any_below(seed, 2);

	if (form == FORM_MEMBERS)
		return roles[choice];
	if (form == FORM_REQUIRES)
		return ranges[choice];
	if (form == FORM_SEALED)
		return sealed[choice];
	return texts_by_form[form == FORM_LABELS ? form : FORM_NONE][choice];
}

static void add_map(uint64_t *seed, const struct field_type_row *row, bool nulls, struct buf *out)
{
	enum form form = FLAGS_FORM(row->flags);
	bool first = true;

	buf_addc(out, '{');
	for (size_t i = 0; i < 4; i++) {
		if (any_below(seed, 2))
			continue;
		buf_adds(out, first ? "" : ",");
		first = false;
		buf_add_json(out, texts_by_form[form][i]);
		buf_addc(out, ':');
		if (nulls && form_takes_null(form) && any_below(seed, 4) == 0)
			buf_adds(out, "null");
		else
			buf_add_json(out, map_value(seed, form));
	}
	buf_addc(out, '}');
}

/* With it two items that follow each other have one KEY, and APART they are told by numbers. */
#define TWINS ((size_t)1 << 32)

static bool may_be_twins(const struct object_type *type)
{
	size_t apart = 0;

	for (size_t i = 0; i < type->fields_n; i++)
		apart += (type->fields[i].flags & APART) != 0;
	return apart > 0;
}

/* The number of an INT that tells items of a list from each other; 0 of any other. */
static int64_t telling_number(uint64_t *seed, const struct field_type_row *row, size_t key)
{
	bool twins = key & TWINS;

	key &= ~TWINS;
	if (row->flags & KEY)
		return (int64_t)(twins ? key / 2 : key) + 80;
	if (row->flags & APART && twins)
		return (int64_t)(key * 2 + any_below(seed, 2)) + 8080;
	return 0;
}

static void add_list(uint64_t *seed, const struct field_type_row *row, bool nulls, struct buf *out)
{
	size_t n = any_below(seed, 4);
	size_t shift = any_below(seed, 2);
	size_t twins = row->type == TYPE_LIST && may_be_twins(row->object) && any_below(seed, 2)
			       ? TWINS
			       : 0;

	buf_addc(out, '[');
	for (size_t i = 0; i < n; i++) {
		buf_adds(out, i ? "," : "");
		if (row->type == TYPE_LIST)
			add_object(seed, row->object, nulls, (i + shift) | twins, out);
		else
			buf_add_json(out,
				     texts_by_form[FLAGS_FORM(row->flags)][any_below(seed, 4)]);
	}
	if (n == 0 && row->min > 0)
		buf_adds(out, "\"x\"");
	buf_addc(out, ']');
}

static int64_t number_within(uint64_t *seed, const struct field_type_row *row)
{
	int64_t high = row->max > row->min + 100000 ? row->min + 100000 : row->max;

	return row->min + (int64_t)any_below(seed, (size_t)(high - row->min + 1));
}

static void add_value(uint64_t *seed, const struct field_type_row *row, bool nulls, size_t key,
		      struct buf *out)
{
	int64_t number = row->type == TYPE_INT ? telling_number(seed, row, key) : 0;

	switch (row->type) {
	case TYPE_STRING:
	case TYPE_NAME:
		buf_add_json(
			out,
			texts_by_form[row->type == TYPE_NAME ? FORM_NAME : FLAGS_FORM(row->flags)]
				     [row->flags & KEY ? key % 4 : any_below(seed, 4)]);
		return;
	case TYPE_BOOL:
		buf_adds(out, any_below(seed, 2) ? "true" : "false");
		return;
	case TYPE_INT:
		buf_addf(out, "%lld", (long long)(number ? number : number_within(seed, row)));
		return;
	case TYPE_DURATION:
		buf_addf(out, "\"%lldms\"", (long long)number_within(seed, row));
		return;
	case TYPE_SIZE:
		buf_addf(out, "\"%lld\"", (long long)number_within(seed, row));
		return;
	case TYPE_CPU:
		buf_addf(out, "\"%lldm\"", (long long)number_within(seed, row));
		return;
	case TYPE_ENUM: {
		const struct enum_value *value =
			&row->enumeration->values[any_below(seed, row->enumeration->values_n)];

		buf_add_json(out,
			     value->flags & LATER ? row->enumeration->values[0].word : value->word);
		return;
	}
	case TYPE_STRINGS:
	case TYPE_LIST:
		add_list(seed, row, nulls, out);
		return;
	case TYPE_MAP:
		add_map(seed, row, nulls, out);
		return;
	case TYPE_OBJECT:
		add_object(seed, row->object, nulls, 0, out);
		return;
	case TYPE_OBJMAP:
	case TYPE_ANY:
		buf_adds(out, "null");
		return;
	}
}

/* key: a number that tells the items of a list apart. */
static void add_object(uint64_t *seed, const struct object_type *type, bool nulls, size_t key,
		       struct buf *out)
{
	bool first = true, one = false;

	buf_addc(out, '{');
	for (size_t i = 0; i < type->fields_n; i++) {
		const struct field_type_row *row = &type->fields[i];
		bool needed = row->flags & (REQ | KEY) ||
			      (row->flags & APART && row->type == TYPE_INT && key & TWINS);

		if (row->flags & (LATER | LONG) || (!needed && any_below(seed, 3)) ||
		    (row->flags & ONE && one))
			continue;
		one |= (row->flags & ONE) != 0;
		buf_adds(out, first ? "" : ",");
		first = false;
		buf_add_json(out, row->key);
		buf_addc(out, ':');
		if (nulls && !needed && any_below(seed, 5) == 0)
			buf_adds(out, "null");
		else
			add_value(seed, row, nulls, key, out);
	}
	buf_addc(out, '}');
}

void any_object(uint64_t *seed, const struct object_type *type, bool nulls, struct buf *out)
{
	add_object(seed, type, nulls, 0, out);
}
