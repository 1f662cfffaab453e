// The shortest way through a maze of cells, by breadth first search.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 1000

typedef struct {
    int64_t x, y;
} Cell;

static bool maze[N][N];
static int64_t distance[N][N];
static int64_t seed = 7;

static int64_t random_below(int64_t limit) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return (seed / 65536) % limit;
}

static void make_maze(void) {
    for (int64_t y = 0; y < N; y++)
        for (int64_t x = 0; x < N; x++) maze[y][x] = random_below(100) < 28;
    maze[0][0] = maze[N - 1][N - 1] = false;
}

static void find_distances(void) {
    const Cell steps[] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};
    Cell *queue = malloc((size_t)N * N * sizeof *queue);
    int64_t count = 1;
    for (int64_t y = 0; y < N; y++)
        for (int64_t x = 0; x < N; x++) distance[y][x] = -1;
    queue[0] = (Cell){0, 0};
    distance[0][0] = 0;
    for (int64_t next = 0; next < count; next++) {
        Cell cell = queue[next];
        for (int k = 0; k < 4; k++) {
            int64_t x = cell.x + steps[k].x, y = cell.y + steps[k].y;
            if (x >= 0 && x < N && y >= 0 && y < N && !maze[y][x] && distance[y][x] < 0) {
                distance[y][x] = distance[cell.y][cell.x] + 1;
                queue[count++] = (Cell){x, y};
            }
        }
    }
    free(queue);
}

int main(void) {
    make_maze();
    find_distances();
    int64_t farthest = 0, reached = 0;
    for (int64_t y = 0; y < N; y++) {
        for (int64_t x = 0; x < N; x++) {
            if (distance[y][x] < 0) continue;
            reached++;
            if (distance[y][x] > farthest) farthest = distance[y][x];
        }
    }
    printf("%lld %lld %lld\n", (long long)distance[N - 1][N - 1], (long long)farthest, (long long)reached);
    return 0;
}
