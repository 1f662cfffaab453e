// Numbers: a sieve, divisors in common, numbers taken apart into primes.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT 5000000
#define N 400000
#define MOST 64

static int64_t sieve(int64_t limit, int64_t *primes) {
    bool *composite = calloc(limit + 1, sizeof *composite);
    int64_t count = 0;
    for (int64_t i = 2; i <= limit; i++) {
        if (composite[i]) continue;
        primes[count++] = i;
        for (int64_t k = i * i; k <= limit; k += i) composite[k] = true;
    }
    free(composite);
    return count;
}

static int64_t gcd(int64_t a, int64_t b) {
    return b == 0 ? a : gcd(b, a % b);
}

static int64_t factors(int64_t n, const int64_t *primes, int64_t count, int64_t *out) {
    int64_t size = 0, rest = n;
    for (int64_t i = 0; i < count && primes[i] * primes[i] <= rest; i++) {
        while (rest % primes[i] == 0) {
            out[size++] = primes[i];
            rest /= primes[i];
        }
    }
    if (rest > 1) out[size++] = rest;
    return size;
}

int main(void) {
    int64_t *primes = malloc(LIMIT * sizeof *primes);
    int64_t count = sieve(LIMIT, primes);
    printf("%lld %lld\n", (long long)count, (long long)primes[count - 1]);

    int64_t coprime = 0;
    for (int64_t i = 1; i < N; i++)
        if (gcd(i * 7919 % 1000003, i + 12345) == 1) coprime++;
    printf("%lld\n", (long long)coprime);

    int64_t most[MOST], parts[MOST], longest = 0, total = 0, sum = 0;
    for (int64_t i = 2; i < N; i++) {
        int64_t size = factors(i * 3, primes, count, parts);
        total += size;
        if (size > longest) {
            longest = size;
            memcpy(most, parts, size * sizeof *parts);
        }
    }
    for (int64_t i = 0; i < longest; i++) sum += most[i];
    printf("%lld %lld %lld\n", (long long)total, (long long)longest, (long long)sum);
    int64_t size = factors(360360, primes, count, parts);
    for (int64_t i = 0; i < size; i++) printf("%s%lld", i ? ", " : "[", (long long)parts[i]);
    printf("]\n");
    free(primes);
    return 0;
}
