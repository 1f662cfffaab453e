// The game of life on a torus: two grids that change places.
#include <stdint.h>
#include <stdio.h>

#define N 200
#define GENERATIONS 200

static int64_t grids[2][N][N];

static int64_t alive_around(int64_t grid[N][N], int64_t x, int64_t y) {
    int64_t count = 0;
    for (int64_t dy = -1; dy <= 1; dy++)
        for (int64_t dx = -1; dx <= 1; dx++)
            if (dx != 0 || dy != 0) count += grid[(y + dy + N) % N][(x + dx + N) % N];
    return count;
}

static void step(int64_t grid[N][N], int64_t next[N][N]) {
    for (int64_t y = 0; y < N; y++) {
        for (int64_t x = 0; x < N; x++) {
            int64_t around = alive_around(grid, x, y);
            next[y][x] = around == 3 || (around == 2 && grid[y][x] == 1);
        }
    }
}

int main(void) {
    int64_t seed = 5;
    for (int64_t y = 0; y < N; y++) {
        for (int64_t x = 0; x < N; x++) {
            seed = (seed * 1103515245 + 12345) % 2147483648;
            grids[0][y][x] = (seed / 65536) % 2;
        }
    }
    for (int64_t i = 0; i < GENERATIONS; i++) step(grids[i % 2], grids[(i + 1) % 2]);
    int64_t total = 0;
    for (int64_t y = 0; y < N; y++)
        for (int64_t x = 0; x < N; x++) total += grids[GENERATIONS % 2][y][x];
    printf("%lld\n", (long long)total);
    return 0;
}
