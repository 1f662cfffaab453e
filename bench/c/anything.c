// Values of any kind as tagged unions: a list of mixed kinds, comparisons, sums in such a value.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define N 3000000

typedef enum { NONE, BOOL, INT, FLOAT, TEXT } Kind;

typedef struct {
    Kind kind;
    union {
        bool truth;
        int64_t whole;
        double real;
        const char *text;
    };
} Value;

static Value whole(int64_t i) {
    return (Value){.kind = INT, .whole = i};
}

static Value real(double x) {
    return (Value){.kind = FLOAT, .real = x};
}

static Value text(const char *s) {
    return (Value){.kind = TEXT, .text = s};
}

static bool equal(Value a, Value b) {
    if (a.kind == INT && b.kind == FLOAT) return (double)a.whole == b.real;
    if (a.kind == FLOAT && b.kind == INT) return a.real == (double)b.whole;
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case NONE:
        return true;
    case BOOL:
        return a.truth == b.truth;
    case INT:
        return a.whole == b.whole;
    case FLOAT:
        return a.real == b.real;
    case TEXT:
        return strcmp(a.text, b.text) == 0;
    }
    return false;
}

static int64_t score(Value value) {
    if (equal(value, text("two"))) return 2;
    if (equal(value, whole(3))) return 3;
    if (equal(value, real(1.5))) return 1;
    if (equal(value, (Value){.kind = BOOL, .truth = true})) return 7;
    if (equal(value, (Value){.kind = NONE})) return 9;
    return 0;
}

static int64_t kind(Value value) {
    if (equal(value, text("two"))) return 1;
    if (equal(value, whole(3))) return 2;
    if (equal(value, real(1.5))) return 3;
    return 4;
}

int main(void) {
    Value values[] = {text("two"), whole(3), real(1.5), {.kind = BOOL, .truth = true}, {.kind = NONE}, whole(8),
                      text("three"), real(2.5)};
    int64_t total = 0;
    for (int64_t i = 0; i < N; i++) {
        Value value = values[i % 8];
        total += score(value) + kind(value);
    }
    printf("%lld\n", (long long)total);

    Value sum = whole(0);
    for (int64_t i = 0; i < N; i++) {
        if (sum.kind == INT) sum = whole(sum.whole + i);
        if (sum.kind == INT && sum.whole > 1000000) sum = whole(sum.whole - 1000000);
    }
    printf("%lld\n", (long long)sum.whole);
    return 0;
}
