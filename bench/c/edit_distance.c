// The edit distance of strings, by two rows of the table.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 1500
#define ROUNDS 20

static char *text_of(int64_t n, int64_t start) {
    const char *letters = "abcdefgh";
    char *out = malloc(n + 1);
    int64_t x = start;
    for (int64_t i = 0; i < n; i++) {
        x = (x * 1103515245 + 12345) % 2147483648;
        out[i] = letters[(x / 65536) % 8];
    }
    out[n] = 0;
    return out;
}

static int64_t distance(const char *s, const char *t) {
    int64_t n = strlen(s), m = strlen(t);
    int64_t *above = malloc((m + 1) * sizeof *above), *row = malloc((m + 1) * sizeof *row);
    for (int64_t j = 0; j <= m; j++) above[j] = j;
    for (int64_t i = 0; i < n; i++) {
        row[0] = i + 1;
        for (int64_t j = 0; j < m; j++) {
            int64_t cost = above[j] + (s[i] != t[j]);
            if (above[j + 1] + 1 < cost) cost = above[j + 1] + 1;
            if (row[j] + 1 < cost) cost = row[j] + 1;
            row[j + 1] = cost;
        }
        int64_t *old = above;
        above = row;
        row = old;
    }
    int64_t result = above[m];
    free(above);
    free(row);
    return result;
}

int main(void) {
    int64_t total = 0;
    for (int64_t round = 0; round < ROUNDS; round++) {
        char *s = text_of(N, round + 1), *t = text_of(N, round + 2);
        total += distance(s, t);
        free(s);
        free(t);
    }
    printf("%lld\n", (long long)total);
    printf("%lld\n", (long long)distance("kitten", "sitting"));
    return 0;
}
