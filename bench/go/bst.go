// A search tree that never changes: an insertion copies the path to the new leaf.
package main

import "fmt"

const (
	KEYS    = 100000
	LOOKUPS = 300000
)

type Node struct {
	left  *Node
	key   int
	right *Node
}

func insert(tree *Node, key int) *Node {
	switch {
	case tree == nil:
		return &Node{nil, key, nil}
	case key < tree.key:
		return &Node{insert(tree.left, key), tree.key, tree.right}
	case key > tree.key:
		return &Node{tree.left, tree.key, insert(tree.right, key)}
	}
	return tree
}

func has(tree *Node, key int) bool {
	if tree == nil {
		return false
	}
	if key == tree.key {
		return true
	}
	if key < tree.key {
		return has(tree.left, key)
	}
	return has(tree.right, key)
}

func depth(tree *Node) int {
	if tree == nil {
		return 0
	}
	return 1 + max(depth(tree.left), depth(tree.right))
}

var seed = 1

func random() int {
	seed = (seed*1103515245 + 12345) % 2147483648
	return seed / 64
}

func main() {
	var tree *Node
	for i := 0; i < KEYS; i++ {
		tree = insert(tree, random())
	}
	seed = 1
	found := 0
	for i := 0; i < LOOKUPS; i++ {
		if has(tree, random()) {
			found++
		}
	}
	fmt.Println(found, depth(tree))
}
