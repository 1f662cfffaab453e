// All ways to put queens on a board so that none attacks another, by backtracking.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define N 13

typedef struct {
    int64_t size;
    bool columns[N], rising[2 * N], falling[2 * N];
} Board;

static bool is_free(const Board *b, int64_t row, int64_t column) {
    return !b->columns[column] && !b->rising[row + column] && !b->falling[row - column + b->size - 1];
}

static void mark(Board *b, int64_t row, int64_t column, bool taken) {
    b->columns[column] = taken;
    b->rising[row + column] = taken;
    b->falling[row - column + b->size - 1] = taken;
}

static int64_t solve(Board *b, int64_t row) {
    if (row == b->size) return 1;
    int64_t ways = 0;
    for (int64_t column = 0; column < b->size; column++) {
        if (is_free(b, row, column)) {
            mark(b, row, column, true);
            ways += solve(b, row + 1);
            mark(b, row, column, false);
        }
    }
    return ways;
}

int main(void) {
    for (int64_t n = 4; n <= N; n++) {
        Board board = {.size = n};
        printf("%lld %lld\n", (long long)n, (long long)solve(&board, 0));
    }
    return 0;
}
