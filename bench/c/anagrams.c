// Words of the same letters: letters put in order by hand, groups in a hash table.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 300000
#define LENGTH 5
#define SLOTS 4096

typedef struct {
    char key[LENGTH + 1];
    char (*words)[LENGTH + 1];
    int64_t size, capacity;
} Group; // without words the slot is free

static Group groups[SLOTS];

static void sort_letters(char *letters) {
    for (int i = 1; i < LENGTH; i++) {
        char letter = letters[i];
        int j = i - 1;
        for (; j >= 0 && letters[j] > letter; j--) letters[j + 1] = letters[j];
        letters[j + 1] = letter;
    }
}

static Group *find(const char *key) {
    uint64_t h = 14695981039346656037u;
    for (const char *c = key; *c; c++) h = (h ^ (unsigned char)*c) * 1099511628211u;
    uint64_t i = (h ^ (h >> 32)) % SLOTS;
    while (groups[i].size && strcmp(groups[i].key, key) != 0) i = (i + 1) % SLOTS;
    return &groups[i];
}

static bool has(const Group *group, const char *word) {
    for (int64_t i = 0; i < group->size; i++)
        if (strcmp(group->words[i], word) == 0) return true;
    return false;
}

int main(void) {
    const char *letters = "aeinrst";
    int64_t x = 8;
    for (int64_t i = 0; i < N; i++) {
        char word[LENGTH + 1] = "", key[LENGTH + 1];
        for (int k = 0; k < LENGTH; k++) {
            x = (x * 1103515245 + 12345) % 2147483648;
            word[k] = letters[(x / 65536) % 7];
        }
        strcpy(key, word);
        sort_letters(key);
        Group *group = find(key);
        if (has(group, word)) continue;
        if (group->size == group->capacity) {
            group->capacity = group->capacity ? 2 * group->capacity : 4;
            group->words = realloc(group->words, group->capacity * sizeof *group->words);
        }
        strcpy(group->key, key);
        strcpy(group->words[group->size++], word);
    }
    int64_t count = 0, words = 0;
    const Group *largest = NULL;
    for (int i = 0; i < SLOTS; i++) {
        const Group *g = &groups[i];
        if (!g->size) continue;
        count++;
        words += g->size;
        if (!largest || g->size > largest->size || (g->size == largest->size && strcmp(g->key, largest->key) < 0))
            largest = g;
    }
    printf("%lld %lld\n", (long long)count, (long long)words);
    printf("%s %lld %s\n", largest->key, (long long)largest->size, largest->words[0]);
    return 0;
}
