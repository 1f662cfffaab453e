// Text built character by character: a Caesar cipher, run lengths packed and unpacked.
package main

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	ROUNDS   = 20000
	ALPHABET = "abcdefghijklmnopqrstuvwxyz"
)

func rotate(text string, by int) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		place := strings.IndexByte(ALPHABET, text[i])
		if place < 0 {
			out.WriteByte(text[i])
		} else {
			out.WriteByte(ALPHABET[(place+by)%26])
		}
	}
	return out.String()
}

func pack(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		c := text[i]
		run := 1
		for i+run < len(text) && text[i+run] == c {
			run++
		}
		out.WriteByte(c)
		out.WriteString(strconv.Itoa(run))
		i += run
	}
	return out.String()
}

func unpack(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		c := text[i]
		i++
		run := 0
		for i < len(text) && text[i] >= '0' && text[i] <= '9' {
			run = run*10 + int(text[i]-'0')
			i++
		}
		for k := 0; k < run; k++ {
			out.WriteByte(c)
		}
	}
	return out.String()
}

func main() {
	text := ""
	words := []string{"the quick brown fox", "aaaaaaaaaaaabbbcccccd", "jumps over the lazy dog", "zzzzzzzzzzz yyy x"}
	for _, word := range words {
		text += word + ", " + word + "; "
	}
	total, right := 0, 0
	for round := 0; round < ROUNDS; round++ {
		secret := rotate(text, round%26)
		packed := pack(secret)
		total += len(packed)
		if rotate(unpack(packed), 26-round%26) == text {
			right++
		}
	}
	fmt.Println(total, right, len(text))
	fmt.Println(pack(rotate("aaabbbbz", 1)))
}
