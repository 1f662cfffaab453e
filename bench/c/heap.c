// A binary heap of structs in a list: push, pop and look at the smallest.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 600000

typedef struct {
    int64_t key, id;
} Item;

static void swap(Item **heap, int64_t i, int64_t j) {
    Item *item = heap[i];
    heap[i] = heap[j];
    heap[j] = item;
}

static int64_t put(Item **heap, int64_t size, int64_t key, int64_t id) {
    Item *item = malloc(sizeof *item);
    item->key = key;
    item->id = id;
    heap[size] = item;
    int64_t i = size;
    while (i > 0) {
        int64_t parent = (i - 1) / 2;
        if (heap[parent]->key <= heap[i]->key) break;
        swap(heap, parent, i);
        i = parent;
    }
    return size + 1;
}

static int64_t drop(Item **heap, int64_t size) {
    int64_t last = size - 1;
    free(heap[0]);
    heap[0] = heap[last];
    int64_t i = 0;
    while (2 * i + 1 < last) {
        int64_t child = 2 * i + 1;
        if (child + 1 < last && heap[child + 1]->key < heap[child]->key) child++;
        if (heap[i]->key <= heap[child]->key) break;
        swap(heap, i, child);
        i = child;
    }
    return last;
}

int main(void) {
    Item **heap = malloc(N * sizeof *heap);
    int64_t size = 0, x = 7, sum = 0;
    for (int64_t id = 0; id < N; id++) {
        x = (x * 1103515245 + 12345) % 2147483648;
        size = put(heap, size, x / 16, id);
        if (id % 3 == 2) {
            sum = (sum * 31 + heap[0]->id) % 1000000007;
            size = drop(heap, size);
        }
    }
    while (size > 0) {
        sum = (sum * 31 + heap[0]->id) % 1000000007;
        size = drop(heap, size);
    }
    printf("%lld\n", (long long)sum);
    free(heap);
    return 0;
}
