// The cheapest spanning forest of a graph: edges in order of cost, sets that are united.
package main

import (
	"fmt"
	"sort"
)

const (
	NODES = 100000
	EDGES = 300000
)

type Edge struct {
	from, to, cost int
}

func find(parent []int, x int) int {
	root := x
	for parent[root] != root {
		root = parent[root]
	}
	node := x
	for parent[node] != root {
		next := parent[node]
		parent[node] = root
		node = next
	}
	return root
}

var seed = 11

func random(limit int) int {
	seed = (seed*1103515245 + 12345) % 2147483648
	return (seed / 256) % limit
}

func main() {
	edges := []*Edge{}
	for i := 0; i < EDGES; i++ {
		a := random(NODES)
		b := random(NODES)
		edges = append(edges, &Edge{a, b, random(10000)})
	}
	sort.SliceStable(edges, func(i, j int) bool { return edges[i].cost < edges[j].cost })

	parent := make([]int, NODES)
	for i := range parent {
		parent[i] = i
	}
	total, taken := 0, 0
	for _, e := range edges {
		a, b := find(parent, e.from), find(parent, e.to)
		if a != b {
			parent[a] = b
			total += e.cost
			taken++
		}
	}
	fmt.Println(total, taken)
}
