// A binary heap of structs in a list: push, pop and look at the smallest.
package main

import "fmt"

const N = 600000

type Item struct {
	key, id int
}

type Heap []*Item

func (h *Heap) put(item *Item) {
	*h = append(*h, item)
	heap := *h
	i := len(heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if heap[parent].key <= heap[i].key {
			break
		}
		heap[parent], heap[i] = heap[i], heap[parent]
		i = parent
	}
}

func (h *Heap) drop() {
	heap := *h
	last := len(heap) - 1
	heap[0] = heap[last]
	heap = heap[:last]
	*h = heap
	i := 0
	for 2*i+1 < last {
		child := 2*i + 1
		if child+1 < last && heap[child+1].key < heap[child].key {
			child++
		}
		if heap[i].key <= heap[child].key {
			break
		}
		heap[i], heap[child] = heap[child], heap[i]
		i = child
	}
}

func main() {
	heap := Heap{}
	x, sum := 7, 0
	for id := 0; id < N; id++ {
		x = (x*1103515245 + 12345) % 2147483648
		heap.put(&Item{x / 16, id})
		if id%3 == 2 {
			sum = (sum*31 + heap[0].id) % 1000000007
			heap.drop()
		}
	}
	for len(heap) > 0 {
		sum = (sum*31 + heap[0].id) % 1000000007
		heap.drop()
	}
	fmt.Println(sum)
}
