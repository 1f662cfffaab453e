// Looking at the characters of a text: vowels, words that are turned round, palindromes.
package main

import (
	"fmt"
	"strings"
)

const (
	ROUNDS = 40000
	TEXT   = "Anna saw a level plain and the noon sun over the old kayak near a civic tower where Otto made a radar"
)

func isVowel(c rune) bool {
	return strings.ContainsRune("aeiou", c)
}

func countVowels(text string) int {
	count := 0
	for _, c := range text {
		if isVowel(c) {
			count++
		}
	}
	return count
}

func turned(word string) string {
	out := ""
	for _, c := range word {
		out = string(c) + out
	}
	return out
}

func isPalindrome(word string) bool {
	for i, j := 0, len(word)-1; i < j; i, j = i+1, j-1 {
		if word[i] != word[j] {
			return false
		}
	}
	return true
}

func main() {
	vowels, palindromes, characters := 0, 0, 0
	last := ""
	for round := 0; round < ROUNDS; round++ {
		text := strings.ToLower(TEXT)
		vowels += countVowels(text)
		back := []string{}
		for _, word := range strings.Split(text, " ") {
			back = append(back, turned(word))
			if len(word) > 1 && isPalindrome(word) {
				palindromes++
			}
		}
		last = strings.Join(back, " ")
		characters += len(last)
	}
	fmt.Println(vowels, palindromes, characters)
	fmt.Println(last)
}
