// Functions as values: map, filter and fold over a list, with closures over local variables.
package main

import "fmt"

const (
	N      = 100000
	ROUNDS = 150
)

func mapList(xs []int, f func(int) int) []int {
	out := []int{}
	for _, x := range xs {
		out = append(out, f(x))
	}
	return out
}

func filter(xs []int, keep func(int) bool) []int {
	out := []int{}
	for _, x := range xs {
		if keep(x) {
			out = append(out, x)
		}
	}
	return out
}

func fold(xs []int, start int, f func(int, int) int) int {
	result := start
	for _, x := range xs {
		result = f(result, x)
	}
	return result
}

func add(a, b int) int {
	return (a + b) % 1000003
}

func main() {
	numbers := []int{}
	for i := 0; i < N; i++ {
		numbers = append(numbers, i*7%1001)
	}
	total := 0
	for round := 0; round < ROUNDS; round++ {
		factor := round%7 + 1
		scaled := mapList(numbers, func(x int) int { return x*factor + round })
		kept := filter(scaled, func(x int) bool { return x%3 != 0 })
		total = add(total, fold(kept, 0, add))
	}
	fmt.Println(total)
}
