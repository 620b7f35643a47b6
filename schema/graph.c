#include "base/sys.h"
#include "schema/graph.h"

enum colour { UNSEEN, ON_PATH, DONE };

struct walk {
	const struct graph *graph;
	unsigned char *colours;
	size_t *path;  /* nodes from the start to where the walk is */
	size_t *edges; /* for each of them, the edge that comes next */
	size_t depth;
};

/* The part of the path from `again` on is a cycle: told from its smallest node on. */
static void tell(const struct walk *walk, size_t again)
{
	size_t start = walk->depth - 1, length, smallest;
	size_t *cycle;

	while (walk->path[start] != again)
		start--;
	length = walk->depth - start;
	smallest = start;
	for (size_t i = start; i < walk->depth; i++) {
		if (walk->path[i] < walk->path[smallest])
			smallest = i;
	}
	cycle = mem_realloc_array(NULL, length, sizeof *cycle);
	for (size_t i = 0; i < length; i++)
		cycle[i] = walk->path[start + (smallest - start + i) % length];
	walk->graph->found(walk->graph->arg, cycle, length);
	free(cycle);
}

static void enter(struct walk *walk, size_t node)
{
	walk->colours[node] = ON_PATH;
	walk->path[walk->depth] = node;
	walk->edges[walk->depth] = 0;
	walk->depth++;
}

/* One edge of the node at the end of the path. */
static void step(struct walk *walk)
{
	size_t node = walk->path[walk->depth - 1];
	size_t next = walk->graph->edge(walk->graph->arg, node, walk->edges[walk->depth - 1]++);

	if (next == GRAPH_END) {
		walk->colours[node] = DONE;
		walk->depth--;
	} else if (next != GRAPH_NOWHERE) {
		if (walk->colours[next] == UNSEEN)
			enter(walk, next);
		else if (walk->colours[next] == ON_PATH)
			tell(walk, next);
	}
}

void graph_cycles(const struct graph *graph)
{
	struct walk walk = {
		.graph = graph,
		.colours = mem_zalloc(graph->n + 1, 1),
		.path = mem_zalloc(graph->n + 1, sizeof *walk.path),
		.edges = mem_zalloc(graph->n + 1, sizeof *walk.edges),
	};

	for (size_t i = 0; i < graph->n; i++) {
		if (walk.colours[i] == UNSEEN)
			enter(&walk, i);
		while (walk.depth)
			step(&walk);
	}
	free(walk.colours);
	free(walk.path);
	free(walk.edges);
}
