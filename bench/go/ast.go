// Trees of a union type: build one and evaluate it with a type switch, many times.
package main

import "fmt"

const (
	DEPTH  = 18
	ROUNDS = 150
)

type Expr interface{}

type Num struct{ value int }
type Add struct{ left, right Expr }
type Mul struct{ left, right Expr }
type Neg struct{ inner Expr }

func build(depth, seed int) Expr {
	if depth == 0 {
		return &Num{seed%9 + 1}
	}
	if seed%11 == 0 {
		return &Neg{build(depth-1, seed/2+3)}
	}
	if seed%2 == 0 {
		return &Add{build(depth-1, seed+1), build(depth-1, seed*3+1)}
	}
	return &Mul{build(depth-1, seed+7), build(depth-1, seed+2)}
}

func evaluate(e Expr) int {
	switch x := e.(type) {
	case *Num:
		return x.value
	case *Add:
		return (evaluate(x.left) + evaluate(x.right)) % 1000003
	case *Mul:
		return (evaluate(x.left) * evaluate(x.right)) % 1000003
	case *Neg:
		return -evaluate(x.inner)
	}
	return 0
}

func main() {
	tree := build(DEPTH, 12)
	total := 0
	for i := 0; i < ROUNDS; i++ {
		total = (total + evaluate(tree)) % 1000003
	}
	fmt.Println(total)
}
