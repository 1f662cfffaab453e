// Groups of sales with totals, found by comparing names, then the largest sales by a sort.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 300000
#define GROUPS 64

typedef struct {
    const char *region, *product;
    int64_t amount, quantity, number;
} Sale;

typedef struct {
    const char *region, *product;
    int64_t total, number, place;
} Total;

static uint64_t hash(const char *s, uint64_t h) {
    for (; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h;
}

// qsort is not stable, so what is equal goes by its place.
static int by_region(const void *left, const void *right) {
    const Total *a = left, *b = right;
    int order = strcmp(a->region, b->region);
    return order ? order : a->place < b->place ? -1 : a->place > b->place;
}

static int by_size(const void *left, const void *right) {
    const Sale *a = left, *b = right;
    int64_t x = a->amount * 1000 + a->quantity, y = b->amount * 1000 + b->quantity;
    if (x != y) return x > y ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

int main(void) {
    const char *regions[] = {"north", "south", "east", "west"};
    const char *products[] = {"apple", "pear", "plum", "fig", "kiwi"};
    Sale *sales = malloc(N * sizeof *sales);
    int64_t seed = 3;
    for (int64_t i = 0; i < N; i++) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        sales[i].region = regions[(seed / 65536) % 4];
        sales[i].product = products[(seed / 1024) % 5];
        sales[i].amount = (seed / 256) % 500;
        sales[i].quantity = (seed / 4096) % 9 + 1;
        sales[i].number = i;
    }

    Total totals[GROUPS];
    int slots[GROUPS] = {0}, count = 0; // a slot has the number of its group, from 1
    for (int64_t i = 0; i < N; i++) {
        const Sale *s = &sales[i];
        if (s->amount <= 20) continue;
        uint64_t slot = hash(s->product, hash(s->region, 14695981039346656037u)) % GROUPS;
        while (slots[slot] && (strcmp(totals[slots[slot] - 1].region, s->region) != 0 ||
                               strcmp(totals[slots[slot] - 1].product, s->product) != 0))
            slot = (slot + 1) % GROUPS;
        if (!slots[slot]) {
            totals[count] = (Total){s->region, s->product, 0, 0, count};
            slots[slot] = ++count;
        }
        Total *t = &totals[slots[slot] - 1];
        t->total += s->amount * s->quantity;
        t->number++;
    }
    qsort(totals, count, sizeof *totals, by_region);
    for (int i = 0; i < count; i++)
        printf("%s %s %lld %lld\n", totals[i].region, totals[i].product, (long long)totals[i].total,
               (long long)totals[i].number);

    qsort(sales, N, sizeof *sales, by_size);
    int64_t top = 0;
    for (int64_t i = 5; i < 15; i++) top += sales[i].amount * 10 + sales[i].quantity;
    printf("%d %lld\n", count, (long long)top);
    free(sales);
    return 0;
}
