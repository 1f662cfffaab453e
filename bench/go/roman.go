// Numbers as text: Roman numerals written and read, numbers in words, columns with leading blanks.
package main

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	N      = 4000
	ROUNDS = 60
)

var signs = []string{"M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"}
var worth = []int{1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1}

func toRoman(n int) string {
	out := ""
	for i, sign := range signs {
		for n >= worth[i] {
			out += sign
			n -= worth[i]
		}
	}
	return out
}

var digits = map[rune]int{'I': 1, 'V': 5, 'X': 10, 'L': 50, 'C': 100, 'D': 500, 'M': 1000}

func fromRoman(text string) int {
	total, before := 0, 0
	for _, c := range text {
		value := digits[c]
		if value > before {
			total -= 2 * before
		}
		total += value
		before = value
	}
	return total
}

var small = []string{
	"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
	"thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
}
var tens = []string{"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"}

func inWords(n int) string {
	if n < 20 {
		return small[n]
	}
	if n < 100 {
		if n%10 == 0 {
			return tens[n/10]
		}
		return tens[n/10] + "-" + small[n%10]
	}
	unit, name := 100, " hundred"
	if n >= 1000 {
		unit, name = 1000, " thousand"
	}
	out := inWords(n/unit) + name
	if n%unit != 0 {
		out += " " + inWords(n%unit)
	}
	return out
}

func padStart(text string, n int, pad string) string {
	if len(text) >= n {
		return text
	}
	return strings.Repeat(pad, n-len(text)) + text
}

func main() {
	right, characters := 0, 0
	longest := ""
	for round := 0; round < ROUNDS; round++ {
		for n := 1; n < N; n++ {
			roman := toRoman(n)
			if fromRoman(roman) == n {
				right++
			}
			words := inWords(n)
			if len(words) > len(longest) {
				longest = words
			}
			line := padStart(strconv.Itoa(n), 6, " ") + padStart(roman, 18, ".") + " " + words
			characters += len(line)
		}
	}
	fmt.Println(right, characters)
	fmt.Println(longest)
	fmt.Println(toRoman(1994), fromRoman("MMXXVI"), padStart(inWords(40), 10, "*"))
}
