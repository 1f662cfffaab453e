// How often each word comes: a map from string to int.
package main

import (
	"fmt"
	"sort"
	"strconv"
)

const N = 6000000

func main() {
	words := []string{}
	for i := 0; i < 1000; i++ {
		words = append(words, "word"+strconv.Itoa(i*7919))
	}
	counts := map[string]int{}
	x := 1
	for i := 0; i < N; i++ {
		x = (x*1103515245 + 12345) % 2147483648
		counts[words[(x/65536)%1000]]++
	}
	keys := []string{}
	for word := range counts {
		keys = append(keys, word)
	}
	sort.Strings(keys)
	most, which := 0, ""
	for _, word := range keys {
		if counts[word] > most {
			most = counts[word]
			which = word
		}
	}
	fmt.Println(len(counts), which, most)
}
