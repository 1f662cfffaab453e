// Lengths of Collatz chains by recursion that remembers results in a map.
package main

import "fmt"

const N = 500000

var known = map[int]int{}

func steps(n int) int {
	if n == 1 {
		return 0
	}
	if result, ok := known[n]; ok {
		return result
	}
	result := 0
	if n%2 == 0 {
		result = steps(n/2) + 1
	} else {
		result = steps(3*n+1) + 1
	}
	known[n] = result
	return result
}

func main() {
	best := 0
	for i := 1; i < N; i++ {
		best = max(best, steps(i))
	}
	fmt.Println(best, len(known))
}
