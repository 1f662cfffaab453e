// Text built character by character: a Caesar cipher, run lengths packed and unpacked.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 20000
#define ALPHABET "abcdefghijklmnopqrstuvwxyz"

typedef struct {
    char *text;
    size_t size, capacity;
} Builder;

static void add(Builder *b, char c) {
    if (b->size + 1 >= b->capacity) {
        b->capacity = b->capacity ? 2 * b->capacity : 16;
        b->text = realloc(b->text, b->capacity);
    }
    b->text[b->size++] = c;
    b->text[b->size] = 0;
}

static char *rotate(const char *text, int64_t by) {
    Builder out = {0};
    for (; *text; text++) {
        const char *place = strchr(ALPHABET, *text);
        add(&out, place ? ALPHABET[(place - ALPHABET + by) % 26] : *text);
    }
    return out.text;
}

static char *pack(const char *text) {
    Builder out = {0};
    while (*text) {
        int run = 1;
        while (text[run] == *text) run++;
        char number[16];
        snprintf(number, sizeof number, "%d", run);
        add(&out, *text);
        for (char *c = number; *c; c++) add(&out, *c);
        text += run;
    }
    return out.text;
}

static char *unpack(const char *text) {
    Builder out = {0};
    while (*text) {
        char c = *text++;
        int run = 0;
        while (*text >= '0' && *text <= '9') run = run * 10 + (*text++ - '0');
        for (int k = 0; k < run; k++) add(&out, c);
    }
    return out.text;
}

int main(void) {
    const char *words[] = {"the quick brown fox", "aaaaaaaaaaaabbbcccccd", "jumps over the lazy dog",
                           "zzzzzzzzzzz yyy x"};
    char text[512] = "";
    for (int i = 0; i < 4; i++) {
        strcat(text, words[i]);
        strcat(text, ", ");
        strcat(text, words[i]);
        strcat(text, "; ");
    }
    int64_t total = 0, right = 0;
    for (int64_t round = 0; round < ROUNDS; round++) {
        char *secret = rotate(text, round % 26);
        char *packed = pack(secret);
        total += strlen(packed);
        char *unpacked = unpack(packed);
        char *back = rotate(unpacked, 26 - round % 26);
        if (strcmp(back, text) == 0) right++;
        free(secret);
        free(packed);
        free(unpacked);
        free(back);
    }
    printf("%lld %lld %zu\n", (long long)total, (long long)right, strlen(text));
    char *secret = rotate("aaabbbbz", 1), *packed = pack(secret);
    printf("%s\n", packed);
    free(secret);
    free(packed);
    return 0;
}
