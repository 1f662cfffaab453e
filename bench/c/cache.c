// A cache that forgets what was not used for longest: a hash table of chains, and a chain in order of use.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CAPACITY 1000
#define SLOTS 2048
#define N 3000000

typedef struct Entry {
    int64_t key, value;
    struct Entry *before, *after, *next; // next in the same slot
} Entry;

typedef struct {
    Entry *slots[SLOTS];
    Entry ends; // both ends of the chain: after it comes the newest, before it the oldest
    int64_t used, hits, misses;
} Cache;

static Entry **find(Cache *c, int64_t key) {
    Entry **link = &c->slots[((uint64_t)key * 0x9E3779B97F4A7C15u >> 32) % SLOTS];
    while (*link && (*link)->key != key) link = &(*link)->next;
    return link;
}

static void take_out(Entry *entry) {
    entry->before->after = entry->after;
    entry->after->before = entry->before;
}

static void put_first(Cache *c, Entry *entry) {
    entry->before = &c->ends;
    entry->after = c->ends.after;
    entry->after->before = entry;
    c->ends.after = entry;
}

static int64_t look_up(Cache *c, int64_t key) {
    Entry *entry = *find(c, key);
    if (!entry) {
        c->misses++;
        return -1;
    }
    c->hits++;
    take_out(entry);
    put_first(c, entry);
    return entry->value;
}

static void store(Cache *c, int64_t key, int64_t value) {
    Entry *entry;
    if (c->used < CAPACITY) {
        entry = malloc(sizeof *entry);
        c->used++;
    } else {
        entry = c->ends.before;
        take_out(entry);
        *find(c, entry->key) = entry->next;
    }
    entry->key = key;
    entry->value = value;
    entry->next = NULL;
    *find(c, key) = entry;
    put_first(c, entry);
}

int main(void) {
    static Cache cache;
    cache.ends.before = cache.ends.after = &cache.ends;
    int64_t seed = 31, total = 0;
    for (int64_t i = 0; i < N; i++) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        int64_t key = (seed / 65536) % 1500;
        if (key >= 900) key = (seed / 256) % 5000;
        int64_t value = look_up(&cache, key);
        if (value < 0) {
            value = key * key % 1009;
            store(&cache, key, value);
        }
        total = (total + value) % 1000000007;
    }
    printf("%lld %lld %lld\n", (long long)total, (long long)cache.hits, (long long)cache.misses);
    return 0;
}
