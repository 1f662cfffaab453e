// How often each number comes: a hash table from number to number.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 8000000

typedef struct {
    int64_t key, value;
} Entry; // an entry without a value is free

typedef struct {
    Entry *entries;
    uint64_t capacity, size;
} Map;

static Entry *find(Map *map, int64_t key) {
    uint64_t i = ((uint64_t)key * 0x9E3779B97F4A7C15u >> 32) & (map->capacity - 1);
    while (map->entries[i].value && map->entries[i].key != key) i = (i + 1) & (map->capacity - 1);
    return &map->entries[i];
}

static void count(Map *map, int64_t key) {
    Entry *entry = find(map, key);
    if (!entry->value && 2 * ++map->size > map->capacity) {
        Map larger = {calloc(2 * map->capacity, sizeof *larger.entries), 2 * map->capacity, map->size};
        for (uint64_t i = 0; i < map->capacity; i++)
            if (map->entries[i].value) *find(&larger, map->entries[i].key) = map->entries[i];
        free(map->entries);
        *map = larger;
        entry = find(map, key);
    }
    entry->key = key;
    entry->value++;
}

int main(void) {
    Map counts = {calloc(16, sizeof *counts.entries), 16, 0};
    int64_t x = 1;
    for (int64_t i = 0; i < N; i++) {
        x = (x * 1103515245 + 12345) % 2147483648;
        count(&counts, (x / 65536) % 1000);
    }
    int64_t most = 0, which = 0;
    for (uint64_t i = 0; i < counts.capacity; i++) {
        const Entry *e = &counts.entries[i];
        if (e->value > most || (e->value == most && e->key < which)) {
            most = e->value;
            which = e->key;
        }
    }
    printf("%llu %lld %lld\n", (unsigned long long)counts.size, (long long)which, (long long)most);
    free(counts.entries);
    return 0;
}
