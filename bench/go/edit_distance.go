// The edit distance of strings, by two rows of the table.
package main

import "fmt"

const (
	N      = 1500
	ROUNDS = 20
)

func textOf(n, start int) string {
	letters := "abcdefgh"
	out := make([]byte, 0, n)
	x := start
	for i := 0; i < n; i++ {
		x = (x*1103515245 + 12345) % 2147483648
		out = append(out, letters[(x/65536)%8])
	}
	return string(out)
}

func distance(s, t string) int {
	above := make([]int, len(t)+1)
	for j := range above {
		above[j] = j
	}
	for i := 0; i < len(s); i++ {
		row := make([]int, len(t)+1)
		row[0] = i + 1
		for j := 0; j < len(t); j++ {
			cost := above[j]
			if s[i] != t[j] {
				cost++
			}
			row[j+1] = min(cost, above[j+1]+1, row[j]+1)
		}
		above = row
	}
	return above[len(t)]
}

func main() {
	total := 0
	for round := 0; round < ROUNDS; round++ {
		total += distance(textOf(N, round+1), textOf(N, round+2))
	}
	fmt.Println(total)
	fmt.Println(distance("kitten", "sitting"))
}
