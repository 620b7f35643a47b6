#include "base/sys.h"
#include "base/clock.h"

/* 0000-01-01 and 9999-12-31: what four digits can say. */
#define WALL_MIN_S (-62167219200)
#define WALL_MAX_S 253402300799

static int64_t now_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_boot_ms(void)
{
	return now_us(CLOCK_BOOTTIME) / 1000;
}

int64_t clock_boot_us(void)
{
	return now_us(CLOCK_BOOTTIME);
}

int64_t clock_wall_ms(void)
{
	return now_us(CLOCK_REALTIME) / 1000;
}

const char *clock_format(int64_t wall_ms, char *out)
{
	int64_t seconds = wall_ms / 1000, ms = wall_ms % 1000;
	struct tm tm;
	size_t len;
	time_t t;

	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	if (seconds < WALL_MIN_S)
		seconds = WALL_MIN_S, ms = 0;
	if (seconds > WALL_MAX_S)
		seconds = WALL_MAX_S, ms = 999;
	t = seconds;
	gmtime_r(&t, &tm);
	len = (size_t)snprintf(out, CLOCK_TEXT_MAX, "%04u-%02u-%02uT%02u:%02u:%02u",
			       (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_mon + 1,
			       (unsigned)tm.tm_mday, (unsigned)tm.tm_hour, (unsigned)tm.tm_min,
			       (unsigned)tm.tm_sec);
	snprintf(out + len, CLOCK_TEXT_MAX - len, ".%03dZ", (int)ms);
	return out;
}

/* Exactly n digits at *text; *text is moved behind them. */
static int take_digits(const char **text, int n, int max, int *out)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		char c = (*text)[i];

		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	if (value > max)
		return -1;
	*text += n;
	*out = value;
	return 0;
}

static int take_char(const char **text, const char *any_of)
{
	if (!**text || !strchr(any_of, **text))
		return -1;
	(*text)++;
	return 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 1 && leap ? 29 : days[month];
}

static int take_date(const char **text, struct tm *tm)
{
	int year;

	if (take_digits(text, 4, 9999, &year) != 0 || take_char(text, "-") != 0 ||
	    take_digits(text, 2, 12, &tm->tm_mon) != 0 || take_char(text, "-") != 0 ||
	    take_digits(text, 2, 31, &tm->tm_mday) != 0 || tm->tm_mon == 0 || tm->tm_mday == 0)
		return -1;
	tm->tm_year = year - 1900;
	tm->tm_mon--;
	return tm->tm_mday <= days_in_month(year, tm->tm_mon) ? 0 : -1;
}

/* A leap second (:60) is taken as the first second of the next minute. */
static int take_time(const char **text, struct tm *tm)
{
	if (take_digits(text, 2, 23, &tm->tm_hour) != 0 || take_char(text, ":") != 0 ||
	    take_digits(text, 2, 59, &tm->tm_min) != 0 || take_char(text, ":") != 0)
		return -1;
	return take_digits(text, 2, 60, &tm->tm_sec);
}

/* ".678" and finer; what is below a millisecond is dropped. Absent is 0. */
static int take_fraction(const char **text, int *ms)
{
	int weight = 100;

	*ms = 0;
	if (**text != '.')
		return 0;
	(*text)++;
	if (**text < '0' || **text > '9')
		return -1;
	for (; **text >= '0' && **text <= '9'; (*text)++, weight /= 10)
		*ms += weight * (**text - '0');
	return 0;
}

static int take_offset(const char **text, int *seconds)
{
	int hours, minutes;
	int sign = **text == '-' ? -1 : 1;

	*seconds = 0;
	if (take_char(text, "Zz") == 0)
		return 0;
	if (take_char(text, "+-") != 0 || take_digits(text, 2, 23, &hours) != 0 ||
	    take_char(text, ":") != 0 || take_digits(text, 2, 59, &minutes) != 0)
		return -1;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return 0;
}

int clock_parse(const char *text, int64_t *wall_ms)
{
	struct tm tm = {0};
	int ms, offset;

	if (take_date(&text, &tm) != 0 || take_char(&text, "Tt") != 0 ||
	    take_time(&text, &tm) != 0 || take_fraction(&text, &ms) != 0 ||
	    take_offset(&text, &offset) != 0 || *text)
		return -1;
	*wall_ms = ((int64_t)timegm(&tm) - offset) * 1000 + ms;
	return 0;
}
