// Where a word stands in a text: every place by comparing, then by Knuth, Morris and Pratt.
package main

import (
	"fmt"
	"strings"
)

const (
	N      = 400000
	ROUNDS = 20
)

func textOf(n int) string {
	pieces := []string{}
	x := 17
	for i := 0; i < n; i++ {
		x = (x*1103515245 + 12345) % 2147483648
		if (x/65536)%3 == 0 {
			pieces = append(pieces, "b")
		} else {
			pieces = append(pieces, "a")
		}
	}
	return strings.Join(pieces, "")
}

func countNaive(text, word string) int {
	found := 0
	for i := 0; i+len(word) <= len(text); i++ {
		j := 0
		for j < len(word) && text[i+j] == word[j] {
			j++
		}
		if j == len(word) {
			found++
		}
	}
	return found
}

func borders(word string) []int {
	table := []int{0}
	k := 0
	for i := 1; i < len(word); i++ {
		for k > 0 && word[i] != word[k] {
			k = table[k-1]
		}
		if word[i] == word[k] {
			k++
		}
		table = append(table, k)
	}
	return table
}

func countKMP(text, word string) int {
	table := borders(word)
	found, k := 0, 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		for k > 0 && (k == len(word) || c != word[k]) {
			k = table[k-1]
		}
		if c == word[k] {
			k++
		}
		if k == len(word) {
			found++
		}
	}
	return found
}

func main() {
	text := textOf(N)
	words := []string{"abaabaaab", "aaaaaaaa", "bbabb", "aabaabaabaab"}
	naive, kmp := 0, 0
	for round := 0; round < ROUNDS; round++ {
		word := words[round%len(words)]
		naive += countNaive(text, word)
		kmp += countKMP(text, word)
	}
	fmt.Println(naive, kmp)
	fmt.Println(strings.Contains(text, "abaabaaab"), strings.Index(text, "bbbbbbb"))
}
