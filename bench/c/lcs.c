// The longest common subsequence of two lists of numbers, by a table.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 4000

static int64_t *generate_list(int64_t n, int64_t seed) {
    int64_t *out = malloc(n * sizeof *out);
    int64_t x = seed;
    for (int64_t i = 0; i < n; i++) {
        x = (x * 1103515245 + 12345) % 2147483648;
        out[i] = (x / 65536) % 4;
    }
    return out;
}

static int64_t common(const int64_t *a, int64_t n, const int64_t *b, int64_t m) {
    int64_t **best = malloc((n + 1) * sizeof *best);
    for (int64_t i = 0; i <= n; i++) best[i] = calloc(m + 1, sizeof **best);
    for (int64_t i = 1; i <= n; i++) {
        for (int64_t j = 1; j <= m; j++) {
            if (a[i - 1] == b[j - 1])
                best[i][j] = best[i - 1][j - 1] + 1;
            else if (best[i - 1][j] > best[i][j - 1])
                best[i][j] = best[i - 1][j];
            else
                best[i][j] = best[i][j - 1];
        }
    }
    int64_t result = best[n][m];
    for (int64_t i = 0; i <= n; i++) free(best[i]);
    free(best);
    return result;
}

int main(void) {
    int64_t *a = generate_list(N, 1), *b = generate_list(N, 2);
    printf("%lld\n", (long long)common(a, N, b, N));
    free(a);
    free(b);
    return 0;
}
