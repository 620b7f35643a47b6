#include "base/sys.h"
#include "schema/field_values.h"

#include "base/num.h"

/* Objects that may be written as one text: one function for each type that has fields flagged
 * SHORT. */

/* "80", "8080:80", "8080:80/udp" into the fields of a port. */
static bool read_port(struct fields_reader *reader, const struct doc_node *node, void *object)
{
	struct port *port = object;
	char text[64];
	char *slash, *colon;
	int64_t *const slots[] = {&port->container, &port->host};
	const struct enum_value *protocol = NULL;
	bool fine = node->n < sizeof text;

	snprintf(text, sizeof text, "%s", node->text);
	slash = strchr(text, '/');
	if (slash) {
		*slash = '\0';
		protocol = enum_find(&words_protocol, slash + 1);
		fine = fine && protocol;
	}
	colon = strchr(text, ':');
	if (colon)
		*colon = '\0';
	fine = fine && num_parse_int(colon ? colon + 1 : text, 1, 65535, slots[0]) == 0 &&
	       (!colon || num_parse_int(text, 1, 65535, slots[1]) == 0);
	if (!fine) {
		source_error(&reader->source, DIAG_BAD_VALUE, node->at,
			     "a port must be \"80\", \"8080:80\" (host:container) or "
			     "\"8080:80/udp\"")
			->hint = strchr(node->text, '.') ? "for an address: {container: 80, host: "
							   "8080, address: 127.0.0.1}"
				 : strchr(node->text, '-')
					 ? "for a range: portRanges: [{container: 80-89, host: "
					   "8080-8089}]"
					 : NULL;
		return false;
	}
	port->protocol = protocol ? protocol->value : 0;
	port->head.set = UINT64_C(1) << port_container_F;
	if (colon)
		SET_FIELD(port, port, host);
	if (protocol)
		SET_FIELD(port, port, protocol);
	return true;
}

/* "db": the only value of that Secret. */
static bool read_secret(struct fields_reader *reader, const struct doc_node *node, void *object)
{
	const struct field_type_row *row = &type_secret_ref.fields[secret_ref_secret_F];
	struct secret_ref *secret = object;

	if (!field_text_fits(row, node->text, node->at, &reader->source))
		return false;
	secret->secret = arena_strndup(reader->arena, node->text, node->n);
	secret->head.set = UINT64_C(1) << secret_ref_secret_F;
	return true;
}

bool field_read_short(struct fields_reader *reader, const struct object_type *type,
		      const struct doc_node *node, void *object)
{
	return type == &type_port ? read_port(reader, node, object)
				  : read_secret(reader, node, object);
}
