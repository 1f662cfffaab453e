// Functions as values: map, filter and fold over a list; what a closure knows stands in a struct.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 100000
#define ROUNDS 150

typedef struct {
    int64_t *items, size, capacity;
} List;

static void append(List *list, int64_t item) {
    if (list->size == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 8;
        list->items = realloc(list->items, list->capacity * sizeof *list->items);
    }
    list->items[list->size++] = item;
}

static List map_list(const List *xs, int64_t (*f)(const void *, int64_t), const void *known) {
    List out = {0};
    for (int64_t i = 0; i < xs->size; i++) append(&out, f(known, xs->items[i]));
    return out;
}

static List filter(const List *xs, bool (*keep)(int64_t)) {
    List out = {0};
    for (int64_t i = 0; i < xs->size; i++)
        if (keep(xs->items[i])) append(&out, xs->items[i]);
    return out;
}

static int64_t fold(const List *xs, int64_t start, int64_t (*f)(int64_t, int64_t)) {
    int64_t result = start;
    for (int64_t i = 0; i < xs->size; i++) result = f(result, xs->items[i]);
    return result;
}

typedef struct {
    int64_t factor, round;
} Scale;

static int64_t scale(const void *known, int64_t x) {
    const Scale *by = known;
    return x * by->factor + by->round;
}

static bool not_by_three(int64_t x) {
    return x % 3 != 0;
}

static int64_t add(int64_t a, int64_t b) {
    return (a + b) % 1000003;
}

int main(void) {
    List numbers = {0};
    for (int64_t i = 0; i < N; i++) append(&numbers, i * 7 % 1001);
    int64_t total = 0;
    for (int64_t round = 0; round < ROUNDS; round++) {
        Scale by = {round % 7 + 1, round};
        List scaled = map_list(&numbers, scale, &by);
        List kept = filter(&scaled, not_by_three);
        total = add(total, fold(&kept, 0, add));
        free(scaled.items);
        free(kept.items);
    }
    printf("%lld\n", (long long)total);
    free(numbers.items);
    return 0;
}
