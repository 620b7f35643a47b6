#include "base/sys.h"
#include "schema/doc_syntax.h"

/*
 * What libyaml says, in words for people. It knows where it gave up; what a person did is often at
 * the place where the piece began that it was in.
 */

#define TABS_HINT "indent with blanks, not with tabs"

enum shown { AT_PROBLEM, AT_CONTEXT };

/* A row fits when problem and, unless it is NULL, context are these. */
static const struct meaning {
	const char *problem, *context;
	enum shown shown;
	const char *message, *hint;
} meanings[] = {
	{"mapping values are not allowed in this context", NULL, AT_PROBLEM,
	 "a colon with a blank behind it cannot stand here",
	 "is it indented as the lines around it are? a text with \": \" in it needs quotes"},
	{"found a tab character that violates indentation", NULL, AT_PROBLEM,
	 "a tab cannot stand here", TABS_HINT},
	{"found a tab character where an indentation space is expected", NULL, AT_PROBLEM,
	 "a tab cannot stand here", TABS_HINT},
	{"block sequence entries are not allowed in this context", NULL, AT_PROBLEM,
	 "a list cannot begin here", "its dashes begin lines of their own, below the key"},
	{"mapping keys are not allowed in this context", NULL, AT_PROBLEM,
	 "a ? with a blank behind it cannot stand here", "a text that begins so needs quotes"},
	{"did not find expected '-' indicator", NULL, AT_PROBLEM,
	 "this line is no entry of the list above", "is it indented as the lines around it are?"},
	{"could not find expected ':'", NULL, AT_CONTEXT, "a key without its colon",
	 "a key has \": \" behind it"},
	{"found unexpected end of stream", NULL, AT_CONTEXT, "a quoted text without its end",
	 "the quote that begins here has no end"},
	{"found unexpected document indicator", NULL, AT_CONTEXT, "a quoted text without its end",
	 "the quote that begins here has no end"},
	{"did not find expected node content", "while parsing a flow node", AT_PROBLEM,
	 "a value is missing here",
	 "is a comma or a bracket too many? a {{ template }} stands in quotes"},
	{"did not find expected alphabetic or numeric character", "while scanning an alias",
	 AT_CONTEXT, "an alias without a name", "a text that begins with * needs quotes"},
	{"did not find expected alphabetic or numeric character", "while scanning an anchor",
	 AT_CONTEXT, "an anchor without a name", "a text that begins with & needs quotes"},
	{"did not find expected comment or line break", "while scanning a block scalar", AT_PROBLEM,
	 "a text of several lines begins in the next line", NULL},
	{"found an indentation indicator equal to 0", NULL, AT_PROBLEM,
	 "a text of several lines cannot have an indentation of 0",
	 "leave the number out: the first line shows it"},
	{"found unknown escape character", NULL, AT_PROBLEM, "there is no such escape",
	 "a \\ in double quotes is written \\\\; in single quotes it is one"},
	{"did not find expected hexdecimal number", NULL, AT_PROBLEM,
	 "this escape needs hexadecimal digits",
	 "a \\ in double quotes is written \\\\; in single quotes it is one"},
	{"found invalid Unicode character escape code", NULL, AT_PROBLEM,
	 "the escape is no character", NULL},
	{"did not find the expected '>'", "while scanning a tag", AT_CONTEXT,
	 "a tag without its end", "a text that begins with ! needs quotes"},
	{"did not find expected whitespace or line break", "while scanning a tag", AT_CONTEXT,
	 "no tag has this form", "a text that begins with ! needs quotes"},
	{"found unknown directive name", NULL, AT_CONTEXT, "a line that begins with %",
	 "only %YAML and %TAG do: leave it out"},
	{"found duplicate %YAML directive", NULL, AT_PROBLEM, "a second %YAML line",
	 "leave it out"},
	{"found duplicate %TAG directive", NULL, AT_PROBLEM, "a second %TAG line for one handle",
	 "leave it out"},
	{"found incompatible YAML document", NULL, AT_PROBLEM,
	 "a version of YAML that is not known", "leave the %YAML line out"},
	{"did not find expected <document start>", NULL, AT_PROBLEM,
	 "this stands behind the end of a document",
	 "--- begins the next one; is it indented as the lines before it are?"},
};

/* A copy of the line that the place is in, since the bytes have no end mark; NULL behind its end.
 */
static char *line_of(const struct doc_fault *fault, const struct doc_mark *mark)
{
	const char *line = fault->bytes, *limit = line + fault->len, *end;
	char *copy;

	for (size_t i = 0; i < mark->line && line; i++) {
		line = memchr(line, '\n', (size_t)(limit - line));
		if (line)
			line++;
	}
	if (!line)
		return NULL;
	end = memchr(line, '\n', (size_t)(limit - line));
	copy = mem_strndup(line, (size_t)((end ? end : limit) - line));
	if (mark->column <= strlen(copy))
		return copy;
	free(copy);
	return NULL;
}

static bool begins_with_conflict(const char *line)
{
	return str_starts(line, "<<<<<<<") || str_starts(line, "=======") ||
	       str_starts(line, ">>>>>>>");
}

/* A list or mapping in brackets that goes on wrongly: not closed at all, or something in its way.
 */
static struct meaning of_brackets(const struct doc_fault *fault)
{
	bool list = strchr(fault->problem, ']') != NULL;
	bool open = fault->at.line != fault->context_at.line;

	if (open)
		return (struct meaning){.shown = AT_CONTEXT,
					.message = list ? "a list without its end"
							: "a mapping without its end",
					.hint = list ? "a list that begins with [ ends with ]"
						     : "a mapping that begins with { ends with }"};
	return (struct meaning){.shown = AT_PROBLEM,
				.message = list ? "a list goes on with a comma, or ends with ]"
						: "a mapping goes on with a comma, or ends with }"};
}

/* Something behind a value that is complete, or a line that fits nowhere. */
static struct meaning of_misfit(const char *line, const struct doc_mark *mark)
{
	if (line && strspn(line, " ") < mark->column)
		return (struct meaning){.message = "the value before this is complete already",
					.hint = "a text with quotes or brackets in it needs quotes "
						"around the whole"};
	return (struct meaning){.message = "this line is no field of the mapping above",
				.hint = "is it indented as the lines around it are?"};
}

static struct meaning of_character(const char *line, const struct doc_mark *mark)
{
	const char *stop = line ? line + mark->column : "";

	if (*stop == '\t' || (line && line[strspn(line, " ")] == '\t'))
		return (struct meaning){.message = "a tab cannot stand here", .hint = TABS_HINT};
	return (struct meaning){.message = "a value cannot begin with this character",
				.hint = "put the value in quotes"};
}

static struct meaning meaning_of(const struct doc_fault *fault)
{
	AUTO_FREE char *line = line_of(fault, &fault->at);

	if (str_eq(fault->problem, "did not find expected ',' or ']'") ||
	    str_eq(fault->problem, "did not find expected ',' or '}'"))
		return of_brackets(fault);
	if (str_eq(fault->problem, "did not find expected key"))
		return of_misfit(line, &fault->at);
	if (str_eq(fault->problem, "found character that cannot start any token"))
		return of_character(line, &fault->at);
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		const struct meaning *row = &meanings[i];

		if (str_eq(fault->problem, row->problem) &&
		    (!row->context || str_eq(fault->context, row->context)))
			return *row;
	}
	return (struct meaning){.shown = AT_PROBLEM};
}

void doc_report_syntax(const struct doc_source *source, const struct doc_fault *fault)
{
	struct meaning meaning = meaning_of(fault);
	const struct doc_mark *mark = meaning.shown == AT_CONTEXT ? &fault->context_at : &fault->at;
	AUTO_FREE char *line = line_of(fault, mark);
	struct loc at = {(uint32_t)mark->line + 1, (uint32_t)mark->column + 1, 1};

	if (str_eq(fault->problem, "found undefined tag handle"))
		source_error(source, DIAG_YAML_TAG, at, "a tag with an unknown handle")->hint =
			"leave the tag out";
	else if (line && begins_with_conflict(line))
		source_error(source, DIAG_YAML_SYNTAX, at, "the mark of a merge conflict")->hint =
			"decide what stays, and remove the marks";
	else if (meaning.message)
		source_error(source, DIAG_YAML_SYNTAX, at, "%s", meaning.message)->hint =
			meaning.hint;
	else
		source_error(source, DIAG_YAML_SYNTAX, at, "%s%s%s",
			     fault->problem ? fault->problem : "not YAML",
			     fault->context ? " " : "", fault->context ? fault->context : "");
}
