// Base64 of bytes and back, with / and %, and an Adler checksum of the text.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 30000
#define ROUNDS 60
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

static char *encode(const int64_t *bytes, int64_t size) {
    char *out = malloc((size + 2) / 3 * 4 + 1), *end = out;
    for (int64_t i = 0; i < size; i += 3) {
        int64_t left = size - i, word = bytes[i] * 65536;
        if (left > 1) word += bytes[i + 1] * 256;
        if (left > 2) word += bytes[i + 2];
        *end++ = LETTERS[word / 262144];
        *end++ = LETTERS[word / 4096 % 64];
        *end++ = left > 1 ? LETTERS[word / 64 % 64] : '=';
        *end++ = left > 2 ? LETTERS[word % 64] : '=';
    }
    *end = 0;
    return out;
}

static int64_t decode(const char *text, const int64_t *values, int64_t *bytes) {
    int64_t size = 0, word = 0, bits = 0;
    for (; *text; text++) {
        if (*text == '=') continue;
        word = word * 64 + values[(unsigned char)*text];
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            int64_t unit = 1;
            for (int64_t k = 0; k < bits; k++) unit *= 2;
            bytes[size++] = word / unit;
            word %= unit;
        }
    }
    return size;
}

static int64_t checksum(const int64_t *bytes, int64_t size) {
    int64_t a = 1, b = 0;
    for (int64_t i = 0; i < size; i++) {
        a = (a + bytes[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b * 65536 + a;
}

int main(void) {
    int64_t values[256] = {0};
    for (int64_t i = 0; i < 64; i++) values[(unsigned char)LETTERS[i]] = i;
    int64_t *bytes = malloc((N + ROUNDS) * sizeof *bytes), *back = malloc((N + ROUNDS) * sizeof *back);
    int64_t x = 9, size = 0, total = 0;
    while (size < N) {
        x = (x * 1103515245 + 12345) % 2147483648;
        bytes[size++] = (x / 65536) % 256;
    }
    for (int64_t round = 0; round < ROUNDS; round++) {
        bytes[size++] = round;
        char *text = encode(bytes, size);
        int64_t got = decode(text, values, back);
        if (got == size && memcmp(back, bytes, size * sizeof *bytes) == 0) total++;
        if (round == ROUNDS - 1) printf("%zu %.20s %lld\n", strlen(text), text, (long long)checksum(back, got));
        free(text);
    }
    printf("%lld\n", (long long)total);
    free(bytes);
    free(back);
    return 0;
}
