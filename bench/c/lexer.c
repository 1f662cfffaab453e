// Source text taken apart: names, keywords, numbers, strings and signs are told apart and counted.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 15000
#define TOKENS 256
#define COUNTS 32

static const char SOURCE[] =
    "fun area(width, height) { return width * height } # a comment\n"
    "let total = 0\n"
    "while total < 1000 { total = total + area(12, 7) if total == 84 { print(\"first\", total) } }\n"
    "for item in [1, 22, 333, 4444] { let label_of = \"item number\" print(label_of, item - 1) }\n";

static const char *const keywords[] = {"fun", "return", "let", "while", "if", "for", "in"};

typedef struct {
    const char *kind, *text; // the text has `size` characters of the source
    size_t size;
    int64_t line;
} Token;

typedef struct {
    char key[32];
    int64_t count;
} Count;

typedef struct {
    Count items[COUNTS];
    int size;
} Counts;

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_keyword(const char *text, size_t size) {
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strlen(keywords[i]) == size && memcmp(keywords[i], text, size) == 0) return true;
    return false;
}

static int split(const char *s, Token *tokens) {
    int count = 0;
    int64_t line = 1;
    while (*s) {
        const char *start = s, *kind = "sign";
        char c = *s++;
        if (c == '\n') {
            line++;
            kind = NULL;
        } else if (c == ' ') {
            kind = NULL;
        } else if (c == '#') {
            while (*s && *s != '\n') s++;
            kind = NULL;
        } else if (c == '"') {
            while (*s && *s != '"') s++;
            s++;
            kind = "string";
        } else if (is_letter(c)) {
            while (is_letter(*s) || is_digit(*s)) s++;
            kind = is_keyword(start, s - start) ? "keyword" : "name";
        } else if (is_digit(c)) {
            while (is_digit(*s)) s++;
            kind = "number";
        } else if (c == '=' && *s == '=') {
            s++;
        }
        if (kind) tokens[count++] = (Token){kind, start, s - start, line};
    }
    return count;
}

static void add(Counts *counts, const char *key, size_t size) {
    int i = 0;
    while (i < counts->size && (strlen(counts->items[i].key) != size || memcmp(counts->items[i].key, key, size) != 0))
        i++;
    if (i == counts->size) memcpy(counts->items[counts->size++].key, key, size);
    counts->items[i].count++;
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const Count *)a)->key, ((const Count *)b)->key);
}

static void show(Counts *counts, const char *margin) {
    qsort(counts->items, counts->size, sizeof *counts->items, by_key);
    for (int i = 0; i < counts->size; i++)
        printf("%s%s %lld\n", margin, counts->items[i].key, (long long)counts->items[i].count);
}

int main(void) {
    static Counts kinds, names;
    static Token tokens[TOKENS];
    int64_t lines = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int count = split(SOURCE, tokens);
        for (int i = 0; i < count; i++) {
            add(&kinds, tokens[i].kind, strlen(tokens[i].kind));
            if (strcmp(tokens[i].kind, "name") == 0) add(&names, tokens[i].text, tokens[i].size);
            lines += tokens[i].line;
        }
    }
    show(&kinds, "");
    show(&names, "  ");
    printf("%lld\n", (long long)lines);
    return 0;
}
