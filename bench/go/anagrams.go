// Words of the same letters: letters put in order by hand, groups in a map of slices.
package main

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

const N = 300000

func makeWords(n int) []string {
	letters := "aeinrst"
	words := []string{}
	x := 8
	for i := 0; i < n; i++ {
		word := ""
		for k := 0; k < 5; k++ {
			x = (x*1103515245 + 12345) % 2147483648
			word += string(letters[(x/65536)%7])
		}
		words = append(words, word)
	}
	return words
}

func inOrder(word string) string {
	letters := strings.Split(word, "")
	for i := 1; i < len(letters); i++ {
		letter := letters[i]
		j := i - 1
		for j >= 0 && letters[j] > letter {
			letters[j+1] = letters[j]
			j--
		}
		letters[j+1] = letter
	}
	return strings.Join(letters, "")
}

func main() {
	groups := map[string][]string{}
	for _, word := range makeWords(N) {
		key := inOrder(word)
		if !slices.Contains(groups[key], word) {
			groups[key] = append(groups[key], word)
		}
	}

	keys := []string{}
	for key := range groups {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	largest, most, words := "", 0, 0
	for _, key := range keys {
		size := len(groups[key])
		words += size
		if size > most {
			most = size
			largest = key
		}
	}
	fmt.Println(len(groups), words)
	fmt.Println(largest, most, groups[largest][0])
}
