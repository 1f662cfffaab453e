// Numbers: a sieve, divisors in common, numbers taken apart into primes.
package main

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	LIMIT = 5000000
	N     = 400000
)

func sieve(limit int) []int {
	composite := make([]bool, limit+1)
	primes := []int{}
	for i := 2; i <= limit; i++ {
		if composite[i] {
			continue
		}
		primes = append(primes, i)
		for k := i * i; k <= limit; k += i {
			composite[k] = true
		}
	}
	return primes
}

func gcd(a, b int) int {
	if b == 0 {
		return a
	}
	return gcd(b, a%b)
}

func factors(n int, primes []int) []int {
	out := []int{}
	rest := n
	for _, p := range primes {
		if p*p > rest {
			break
		}
		for rest%p == 0 {
			out = append(out, p)
			rest /= p
		}
	}
	if rest > 1 {
		out = append(out, rest)
	}
	return out
}

func main() {
	primes := sieve(LIMIT)
	fmt.Println(len(primes), primes[len(primes)-1])

	coprime := 0
	for i := 1; i < N; i++ {
		if gcd(i*7919%1000003, i+12345) == 1 {
			coprime++
		}
	}
	fmt.Println(coprime)

	most := []int{}
	total := 0
	for i := 2; i < N; i++ {
		parts := factors(i*3, primes)
		total += len(parts)
		if len(parts) > len(most) {
			most = parts
		}
	}
	sum := 0
	for _, p := range most {
		sum += p
	}
	fmt.Println(total, len(most), sum)
	words := []string{}
	for _, p := range factors(360360, primes) {
		words = append(words, strconv.Itoa(p))
	}
	fmt.Println("[" + strings.Join(words, ", ") + "]")
}
