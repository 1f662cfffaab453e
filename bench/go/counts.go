// How often each number comes: a map from int to int.
package main

import (
	"fmt"
	"sort"
)

const N = 8000000

func main() {
	counts := map[int]int{}
	x := 1
	for i := 0; i < N; i++ {
		x = (x*1103515245 + 12345) % 2147483648
		counts[(x/65536)%1000]++
	}
	keys := []int{}
	for key := range counts {
		keys = append(keys, key)
	}
	sort.Ints(keys)
	most, which := 0, 0
	for _, key := range keys {
		if counts[key] > most {
			most = counts[key]
			which = key
		}
	}
	fmt.Println(len(counts), which, most)
}
