// Base64 of bytes and back, with / and %, and an Adler checksum of the text.
package main

import (
	"fmt"
	"slices"
	"strings"
)

const (
	N       = 30000
	ROUNDS  = 60
	LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
)

func encode(bytes []int) string {
	var out strings.Builder
	for i := 0; i < len(bytes); i += 3 {
		left := len(bytes) - i
		word := bytes[i] * 65536
		if left > 1 {
			word += bytes[i+1] * 256
		}
		if left > 2 {
			word += bytes[i+2]
		}
		out.WriteByte(LETTERS[word/262144])
		out.WriteByte(LETTERS[word/4096%64])
		if left > 1 {
			out.WriteByte(LETTERS[word/64%64])
		} else {
			out.WriteByte('=')
		}
		if left > 2 {
			out.WriteByte(LETTERS[word%64])
		} else {
			out.WriteByte('=')
		}
	}
	return out.String()
}

func decode(text string, values map[rune]int) []int {
	bytes := []int{}
	word, bits := 0, 0
	for _, c := range text {
		if c == '=' {
			continue
		}
		word = word*64 + values[c]
		bits += 6
		if bits >= 8 {
			bits -= 8
			unit := 1
			for k := 0; k < bits; k++ {
				unit *= 2
			}
			bytes = append(bytes, word/unit)
			word %= unit
		}
	}
	return bytes
}

func checksum(bytes []int) int {
	a, b := 1, 0
	for _, byte := range bytes {
		a = (a + byte) % 65521
		b = (b + a) % 65521
	}
	return b*65536 + a
}

func main() {
	values := map[rune]int{}
	for i, c := range LETTERS {
		values[c] = i
	}
	bytes := []int{}
	x := 9
	for i := 0; i < N; i++ {
		x = (x*1103515245 + 12345) % 2147483648
		bytes = append(bytes, (x/65536)%256)
	}
	total := 0
	for round := 0; round < ROUNDS; round++ {
		bytes = append(bytes, round)
		text := encode(bytes)
		back := decode(text, values)
		if slices.Equal(back, bytes) {
			total++
		}
		if round == ROUNDS-1 {
			fmt.Println(len(text), text[:20], checksum(back))
		}
	}
	fmt.Println(total)
}
