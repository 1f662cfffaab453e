// Source text taken apart: names, keywords, numbers, strings and signs are told apart and counted.
package main

import (
	"fmt"
	"slices"
	"sort"
)

const ROUNDS = 15000

const SOURCE = `fun area(width, height) { return width * height } # a comment
let total = 0
while total < 1000 { total = total + area(12, 7) if total == 84 { print("first", total) } }
for item in [1, 22, 333, 4444] { let label_of = "item number" print(label_of, item - 1) }
`

func isLetter(c byte) bool {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
}

func isDigit(c byte) bool {
	return c >= '0' && c <= '9'
}

type Token struct {
	kind, text string
	line       int
}

var keywords = []string{"fun", "return", "let", "while", "if", "for", "in"}

func tokensOf(source string) []Token {
	tokens := []Token{}
	line := 1
	n := len(source)
	for i := 0; i < n; {
		c := source[i]
		start := i
		i++
		kind := "sign"
		switch {
		case c == '\n':
			line++
			kind = ""
		case c == ' ':
			kind = ""
		case c == '#':
			for i < n && source[i] != '\n' {
				i++
			}
			kind = ""
		case c == '"':
			for i < n && source[i] != '"' {
				i++
			}
			i++
			kind = "string"
		case isLetter(c):
			for i < n && (isLetter(source[i]) || isDigit(source[i])) {
				i++
			}
			kind = "name"
			if slices.Contains(keywords, source[start:i]) {
				kind = "keyword"
			}
		case isDigit(c):
			for i < n && isDigit(source[i]) {
				i++
			}
			kind = "number"
		case c == '=' && i < n && source[i] == '=':
			i++
		}
		if kind != "" {
			tokens = append(tokens, Token{kind, source[start:i], line})
		}
	}
	return tokens
}

func sortedKeys(counts map[string]int) []string {
	keys := []string{}
	for key := range counts {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func main() {
	kinds := map[string]int{}
	names := map[string]int{}
	lines := 0
	for round := 0; round < ROUNDS; round++ {
		for _, token := range tokensOf(SOURCE) {
			kinds[token.kind]++
			if token.kind == "name" {
				names[token.text]++
			}
			lines += token.line
		}
	}
	for _, kind := range sortedKeys(kinds) {
		fmt.Println(kind, kinds[kind])
	}
	for _, name := range sortedKeys(names) {
		fmt.Println("  "+name, names[name])
	}
	fmt.Println(lines)
}
