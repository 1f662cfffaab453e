// The cheapest spanning forest of a graph: edges in order of cost, sets that are united.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define NODES 100000
#define EDGES 300000

typedef struct {
    int64_t from, to, cost, number;
} Edge;

// qsort is not stable, so edges of one cost go by their number.
static int by_cost(const void *left, const void *right) {
    const Edge *a = left, *b = right;
    if (a->cost != b->cost) return a->cost < b->cost ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static int64_t find(int64_t *parent, int64_t x) {
    int64_t root = x;
    while (parent[root] != root) root = parent[root];
    int64_t node = x;
    while (parent[node] != root) {
        int64_t next = parent[node];
        parent[node] = root;
        node = next;
    }
    return root;
}

static int64_t seed = 11;

static int64_t random_below(int64_t limit) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return (seed / 256) % limit;
}

int main(void) {
    Edge *edges = malloc(EDGES * sizeof *edges);
    for (int64_t i = 0; i < EDGES; i++) {
        edges[i].from = random_below(NODES);
        edges[i].to = random_below(NODES);
        edges[i].cost = random_below(10000);
        edges[i].number = i;
    }
    qsort(edges, EDGES, sizeof *edges, by_cost);

    int64_t *parent = malloc(NODES * sizeof *parent);
    for (int64_t i = 0; i < NODES; i++) parent[i] = i;
    int64_t total = 0, taken = 0;
    for (int64_t i = 0; i < EDGES; i++) {
        int64_t a = find(parent, edges[i].from), b = find(parent, edges[i].to);
        if (a != b) {
            parent[a] = b;
            total += edges[i].cost;
            taken++;
        }
    }
    printf("%lld %lld\n", (long long)total, (long long)taken);
    free(edges);
    free(parent);
    return 0;
}
