// How often each word comes: a hash table from text to number.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 6000000

typedef struct {
    const char *key;
    int64_t value;
} Entry; // an entry without a key is free

typedef struct {
    Entry *entries;
    uint64_t capacity, size;
} Map;

static uint64_t hash(const char *s) {
    uint64_t h = 14695981039346656037u;
    for (; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h ^ (h >> 32);
}

static Entry *find(Map *map, const char *key) {
    uint64_t i = hash(key) & (map->capacity - 1);
    while (map->entries[i].key && strcmp(map->entries[i].key, key) != 0) i = (i + 1) & (map->capacity - 1);
    return &map->entries[i];
}

static void count(Map *map, const char *key) {
    Entry *entry = find(map, key);
    if (!entry->key && 2 * ++map->size > map->capacity) {
        Map larger = {calloc(2 * map->capacity, sizeof *larger.entries), 2 * map->capacity, map->size};
        for (uint64_t i = 0; i < map->capacity; i++)
            if (map->entries[i].key) *find(&larger, map->entries[i].key) = map->entries[i];
        free(map->entries);
        *map = larger;
        entry = find(map, key);
    }
    entry->key = key;
    entry->value++;
}

int main(void) {
    static char words[1000][16];
    for (int i = 0; i < 1000; i++) snprintf(words[i], sizeof words[i], "word%d", i * 7919);
    Map counts = {calloc(16, sizeof *counts.entries), 16, 0};
    int64_t x = 1;
    for (int64_t i = 0; i < N; i++) {
        x = (x * 1103515245 + 12345) % 2147483648;
        count(&counts, words[(x / 65536) % 1000]);
    }
    int64_t most = 0;
    const char *which = "";
    for (uint64_t i = 0; i < counts.capacity; i++) {
        const Entry *e = &counts.entries[i];
        if (e->value > most || (e->value && e->value == most && strcmp(e->key, which) < 0)) {
            most = e->value;
            which = e->key;
        }
    }
    printf("%llu %s %lld\n", (unsigned long long)counts.size, which, (long long)most);
    free(counts.entries);
    return 0;
}
