// Lengths of Collatz chains by recursion that remembers results in a hash table.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 500000

typedef struct {
    int64_t key, value;
} Entry; // an entry with key 0 is free

static Entry *known;
static uint64_t capacity = 1024, size;

static Entry *find(int64_t key) {
    uint64_t i = ((uint64_t)key * 0x9E3779B97F4A7C15u >> 32) & (capacity - 1);
    while (known[i].key && known[i].key != key) i = (i + 1) & (capacity - 1);
    return &known[i];
}

static void put(int64_t key, int64_t value) {
    if (2 * ++size > capacity) {
        Entry *old = known;
        uint64_t count = capacity;
        capacity *= 2;
        known = calloc(capacity, sizeof *known);
        for (uint64_t i = 0; i < count; i++)
            if (old[i].key) *find(old[i].key) = old[i];
        free(old);
    }
    *find(key) = (Entry){key, value};
}

static int64_t steps(int64_t n) {
    if (n == 1) return 0;
    Entry *entry = find(n);
    if (entry->key) return entry->value;
    int64_t result;
    if (n % 2 == 0)
        result = steps(n / 2) + 1;
    else
        result = steps(3 * n + 1) + 1;
    put(n, result);
    return result;
}

int main(void) {
    known = calloc(capacity, sizeof *known);
    int64_t best = 0;
    for (int64_t i = 1; i < N; i++) {
        int64_t length = steps(i);
        if (length > best) best = length;
    }
    printf("%lld %llu\n", (long long)best, (unsigned long long)size);
    free(known);
    return 0;
}
