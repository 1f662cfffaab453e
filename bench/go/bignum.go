// Big numbers: a factorial, a Fibonacci number, their lengths in digits, a quotient.
package main

import (
	"fmt"
	"math/big"
)

const (
	FACTORIAL = 12000
	FIBONACCI = 150000
)

func main() {
	factorial := big.NewInt(1)
	for i := int64(1); i <= FACTORIAL; i++ {
		factorial.Mul(factorial, big.NewInt(i))
	}
	fmt.Println(len(factorial.String()))

	a, b := big.NewInt(0), big.NewInt(1)
	for i := 0; i < FIBONACCI; i++ {
		a.Add(a, b)
		a, b = b, a
	}
	fmt.Println(len(a.String()))
	quotient := new(big.Int).Quo(factorial, b)
	fmt.Println(quotient.Rem(quotient, big.NewInt(1000000007)))
}
