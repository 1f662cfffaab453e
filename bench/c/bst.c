// A search tree that never changes: an insertion copies the path to the new leaf.
// Nothing is freed: who still uses a node is not known without a collector.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define KEYS 100000
#define LOOKUPS 300000

typedef struct Node {
    const struct Node *left;
    int64_t key;
    const struct Node *right;
} Node;

static const Node *make(const Node *left, int64_t key, const Node *right) {
    Node *node = malloc(sizeof *node);
    node->left = left;
    node->key = key;
    node->right = right;
    return node;
}

static const Node *insert(const Node *tree, int64_t key) {
    if (!tree) return make(NULL, key, NULL);
    if (key < tree->key) return make(insert(tree->left, key), tree->key, tree->right);
    if (key > tree->key) return make(tree->left, tree->key, insert(tree->right, key));
    return tree;
}

static bool has(const Node *tree, int64_t key) {
    if (!tree) return false;
    if (key == tree->key) return true;
    return has(key < tree->key ? tree->left : tree->right, key);
}

static int64_t depth(const Node *tree) {
    if (!tree) return 0;
    int64_t left = depth(tree->left), right = depth(tree->right);
    return 1 + (left > right ? left : right);
}

static int64_t seed = 1;

static int64_t random_number(void) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 64;
}

int main(void) {
    const Node *tree = NULL;
    for (int64_t i = 0; i < KEYS; i++) tree = insert(tree, random_number());
    seed = 1;
    int64_t found = 0;
    for (int64_t i = 0; i < LOOKUPS; i++)
        if (has(tree, random_number())) found++;
    printf("%lld %lld\n", (long long)found, (long long)depth(tree));
    return 0;
}
