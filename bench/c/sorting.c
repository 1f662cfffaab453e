// Three sorts by hand on the same numbers: merge sort, heap sort and Shell's sort.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 300000

static int64_t *generate_numbers(int64_t n) {
    int64_t *out = malloc(n * sizeof *out);
    int64_t x = 99;
    for (int64_t i = 0; i < n; i++) {
        x = (x * 1103515245 + 12345) % 2147483648;
        out[i] = x / 16;
    }
    return out;
}

static void merge_sort(int64_t *xs, int64_t n, int64_t *space) {
    if (n <= 1) return;
    int64_t middle = n / 2, i = 0, j = middle, k = 0;
    merge_sort(xs, middle, space);
    merge_sort(xs + middle, n - middle, space);
    while (i < middle && j < n) space[k++] = xs[i] <= xs[j] ? xs[i++] : xs[j++];
    while (i < middle) space[k++] = xs[i++];
    while (j < n) space[k++] = xs[j++];
    memcpy(xs, space, n * sizeof *xs);
}

static void sift_down(int64_t *xs, int64_t start, int64_t end) {
    int64_t root = start;
    while (2 * root + 1 < end) {
        int64_t child = 2 * root + 1;
        if (child + 1 < end && xs[child] < xs[child + 1]) child++;
        if (xs[root] >= xs[child]) return;
        int64_t x = xs[root];
        xs[root] = xs[child];
        xs[child] = x;
        root = child;
    }
}

static void heap_sort(int64_t *xs, int64_t n) {
    for (int64_t start = n / 2 - 1; start >= 0; start--) sift_down(xs, start, n);
    for (int64_t end = n - 1; end > 0; end--) {
        int64_t x = xs[0];
        xs[0] = xs[end];
        xs[end] = x;
        sift_down(xs, 0, end);
    }
}

static void shell_sort(int64_t *xs, int64_t n) {
    for (int64_t gap = n / 2; gap > 0; gap /= 2) {
        for (int64_t i = gap; i < n; i++) {
            int64_t x = xs[i], j = i;
            for (; j >= gap && xs[j - gap] > x; j -= gap) xs[j] = xs[j - gap];
            xs[j] = x;
        }
    }
}

static int64_t checksum(const int64_t *xs, int64_t n) {
    int64_t total = 0;
    for (int64_t i = 0; i < n; i++) total = (total * 31 + xs[i]) % 1000000007;
    return total;
}

static const char *same(const int64_t *a, const int64_t *b, int64_t n) {
    return memcmp(a, b, n * sizeof *a) == 0 ? "true" : "false";
}

int main(void) {
    int64_t *merged = generate_numbers(N), *heaped = generate_numbers(N), *shelled = generate_numbers(N);
    int64_t *space = malloc(N * sizeof *space);
    merge_sort(merged, N, space);
    heap_sort(heaped, N);
    shell_sort(shelled, N);
    printf("%lld %lld %lld\n", (long long)checksum(merged, N), (long long)checksum(heaped, N),
           (long long)checksum(shelled, N));
    printf("%s %s %lld %lld\n", same(merged, heaped, N), same(heaped, shelled, N), (long long)merged[0],
           (long long)merged[N - 1]);
    free(merged);
    free(heaped);
    free(shelled);
    free(space);
    return 0;
}
