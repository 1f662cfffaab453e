// A stack machine that interprets a program: the sum of squares modulo a prime, by a loop with jumps.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define N 8000000

typedef struct {
    const char *name;
    int64_t value;
} Instruction;

static const Instruction program[] = {
    {"push", 0}, {"store", 0},      {"push", N}, {"store", 1}, {"load", 0}, {"load", 1}, {"load", 1},
    {"mul", 0},  {"add", 0},        {"push", 1000003}, {"mod", 0},  {"store", 0}, {"load", 1}, {"push", 1},
    {"sub", 0},  {"store", 1},      {"load", 1}, {"jump", 4},  {"load", 0}, {"halt", 0},
};

#define SIZE (sizeof program / sizeof *program)

// Programs name instructions, the machine knows them by number.
enum { PUSH, LOAD, STORE, ADD, SUB, MUL, MOD, JUMP, HALT };

static const char *const names[] = {"push", "load", "store", "add", "sub", "mul", "mod", "jump", "halt"};

static int64_t run(const int64_t *code, const int64_t *values) {
    int64_t stack[16] = {0}, cells[2] = {0};
    int64_t top = 0, at = 0, steps = 0;
    while (code[at] != HALT) {
        int64_t op = code[at], value = values[at];
        at++;
        steps++;
        switch (op) {
        case PUSH:
            stack[top++] = value;
            break;
        case LOAD:
            stack[top++] = cells[value];
            break;
        case STORE:
            cells[value] = stack[--top];
            break;
        case JUMP:
            if (stack[--top] != 0) at = value;
            break;
        default: {
            top--;
            int64_t left = stack[top - 1], right = stack[top];
            stack[top - 1] = op == ADD   ? left + right
                             : op == SUB ? left - right
                             : op == MUL ? left * right
                                         : left % right;
        }
        }
    }
    printf("steps %lld\n", (long long)steps);
    return stack[top - 1];
}

int main(void) {
    int64_t code[SIZE], values[SIZE];
    for (size_t i = 0; i < SIZE; i++) {
        code[i] = PUSH;
        while (strcmp(names[code[i]], program[i].name) != 0) code[i]++;
        values[i] = program[i].value;
    }
    printf("%lld\n", (long long)run(code, values));
    return 0;
}
