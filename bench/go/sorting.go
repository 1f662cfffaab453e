// Three sorts by hand on the same numbers: merge sort, heap sort and Shell's sort.
package main

import (
	"fmt"
	"slices"
)

const N = 300000

func generateNumbers(n int) []int {
	out := []int{}
	x := 99
	for i := 0; i < n; i++ {
		x = (x*1103515245 + 12345) % 2147483648
		out = append(out, x/16)
	}
	return out
}

func mergeSort(xs []int) []int {
	if len(xs) <= 1 {
		return xs
	}
	middle := len(xs) / 2
	left := mergeSort(xs[:middle])
	right := mergeSort(xs[middle:])
	out := make([]int, 0, len(xs))
	i, j := 0, 0
	for i < len(left) && j < len(right) {
		if left[i] <= right[j] {
			out = append(out, left[i])
			i++
		} else {
			out = append(out, right[j])
			j++
		}
	}
	out = append(out, left[i:]...)
	return append(out, right[j:]...)
}

func siftDown(xs []int, start, end int) {
	root := start
	for 2*root+1 < end {
		child := 2*root + 1
		if child+1 < end && xs[child] < xs[child+1] {
			child++
		}
		if xs[root] >= xs[child] {
			return
		}
		xs[root], xs[child] = xs[child], xs[root]
		root = child
	}
}

func heapSort(xs []int) {
	n := len(xs)
	for start := n/2 - 1; start >= 0; start-- {
		siftDown(xs, start, n)
	}
	for end := n - 1; end > 0; end-- {
		xs[0], xs[end] = xs[end], xs[0]
		siftDown(xs, 0, end)
	}
}

func shellSort(xs []int) {
	for gap := len(xs) / 2; gap > 0; gap /= 2 {
		for i := gap; i < len(xs); i++ {
			x := xs[i]
			j := i
			for j >= gap && xs[j-gap] > x {
				xs[j] = xs[j-gap]
				j -= gap
			}
			xs[j] = x
		}
	}
}

func checksum(xs []int) int {
	total := 0
	for _, x := range xs {
		total = (total*31 + x) % 1000000007
	}
	return total
}

func main() {
	merged := mergeSort(generateNumbers(N))
	heaped := generateNumbers(N)
	heapSort(heaped)
	shelled := generateNumbers(N)
	shellSort(shelled)
	fmt.Println(checksum(merged), checksum(heaped), checksum(shelled))
	fmt.Println(slices.Equal(merged, heaped), slices.Equal(heaped, shelled), merged[0], merged[N-1])
}
