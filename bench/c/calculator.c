// Arithmetic in text: split it into tokens character by character, then evaluate by recursive descent.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 100000
#define TOKENS 64

typedef struct {
    char tokens[TOKENS][16];
    int count, place;
} Parser;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static void split(Parser *p, const char *text) {
    p->count = p->place = 0;
    while (*text) {
        if (*text == ' ') {
            text++;
            continue;
        }
        char *token = p->tokens[p->count++];
        if (is_digit(*text)) {
            while (is_digit(*text)) *token++ = *text++;
        } else {
            *token++ = *text++;
        }
        *token = 0;
    }
}

static bool at(const Parser *p, const char *token) {
    return p->place < p->count && strcmp(p->tokens[p->place], token) == 0;
}

static int64_t expression(Parser *p);

static int64_t atom(Parser *p) {
    const char *token = p->tokens[p->place++];
    if (strcmp(token, "(") == 0) {
        int64_t value = expression(p);
        p->place++;
        return value;
    }
    if (strcmp(token, "-") == 0) return -atom(p);
    return atoll(token);
}

static int64_t term(Parser *p) {
    int64_t value = atom(p);
    while (at(p, "*") || at(p, "/")) {
        bool times = at(p, "*");
        p->place++;
        int64_t right = atom(p);
        if (times)
            value *= right;
        else
            value /= right;
    }
    return value;
}

static int64_t expression(Parser *p) {
    int64_t value = term(p);
    while (at(p, "+") || at(p, "-")) {
        bool plus = at(p, "+");
        p->place++;
        int64_t right = term(p);
        if (plus)
            value += right;
        else
            value -= right;
    }
    return value;
}

int main(void) {
    int64_t total = 0;
    static Parser parser;
    for (int i = 0; i < ROUNDS; i++) {
        char text[128];
        snprintf(text, sizeof text, "(%d + 3) * 17 - %d / (2 + 5) + -(8 * (%d - 100))", i, i, i);
        split(&parser, text);
        total = (total + expression(&parser)) % 1000000007;
    }
    printf("%lld\n", (long long)total);
    return 0;
}
