// Trees of a union type: build one and evaluate it with a switch, many times.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH 18
#define ROUNDS 150

typedef enum { NUM, ADD, MUL, NEG } Kind;

typedef struct Expr {
    Kind kind;
    union {
        int64_t value;
        struct {
            struct Expr *left, *right;
        };
    };
} Expr;

static Expr *make(Kind kind, Expr *left, Expr *right) {
    Expr *e = malloc(sizeof *e);
    e->kind = kind;
    e->left = left;
    e->right = right;
    return e;
}

static Expr *build(int64_t depth, int64_t seed) {
    if (depth == 0) {
        Expr *e = make(NUM, NULL, NULL);
        e->value = seed % 9 + 1;
        return e;
    }
    if (seed % 11 == 0) return make(NEG, build(depth - 1, seed / 2 + 3), NULL);
    if (seed % 2 == 0) return make(ADD, build(depth - 1, seed + 1), build(depth - 1, seed * 3 + 1));
    return make(MUL, build(depth - 1, seed + 7), build(depth - 1, seed + 2));
}

static int64_t evaluate(const Expr *e) {
    switch (e->kind) {
    case NUM:
        return e->value;
    case ADD:
        return (evaluate(e->left) + evaluate(e->right)) % 1000003;
    case MUL:
        return (evaluate(e->left) * evaluate(e->right)) % 1000003;
    case NEG:
        return -evaluate(e->left);
    }
    return 0;
}

int main(void) {
    Expr *tree = build(DEPTH, 12);
    int64_t total = 0;
    for (int64_t i = 0; i < ROUNDS; i++) total = (total + evaluate(tree)) % 1000003;
    printf("%lld\n", (long long)total);
    return 0;
}
