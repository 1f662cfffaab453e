// A stack machine that interprets a program: the sum of squares modulo a prime, by a loop with jumps.
package main

import "fmt"

const N = 8000000

type Instruction struct {
	name  string
	value int
}

func program(n int) []Instruction {
	return []Instruction{
		{"push", 0},
		{"store", 0},
		{"push", n},
		{"store", 1},
		{"load", 0},
		{"load", 1},
		{"load", 1},
		{"mul", 0},
		{"add", 0},
		{"push", 1000003},
		{"mod", 0},
		{"store", 0},
		{"load", 1},
		{"push", 1},
		{"sub", 0},
		{"store", 1},
		{"load", 1},
		{"jump", 4},
		{"load", 0},
		{"halt", 0},
	}
}

// Programs name instructions, the machine knows them by number.
const (
	PUSH = iota
	LOAD
	STORE
	ADD
	SUB
	MUL
	MOD
	JUMP
	HALT
)

var codes = map[string]int{
	"push": PUSH, "load": LOAD, "store": STORE, "add": ADD, "sub": SUB, "mul": MUL, "mod": MOD, "jump": JUMP, "halt": HALT,
}

func run(code, values []int) int {
	stack := make([]int, 16)
	cells := []int{0, 0}
	top, at, steps := 0, 0, 0
	for code[at] != HALT {
		op, value := code[at], values[at]
		at++
		steps++
		switch op {
		case PUSH:
			stack[top] = value
			top++
		case LOAD:
			stack[top] = cells[value]
			top++
		case STORE:
			top--
			cells[value] = stack[top]
		case JUMP:
			top--
			if stack[top] != 0 {
				at = value
			}
		default:
			top--
			left, right := stack[top-1], stack[top]
			switch op {
			case ADD:
				stack[top-1] = left + right
			case SUB:
				stack[top-1] = left - right
			case MUL:
				stack[top-1] = left * right
			default:
				stack[top-1] = left % right
			}
		}
	}
	fmt.Println("steps", steps)
	return stack[top-1]
}

func main() {
	code, values := []int{}, []int{}
	for _, instruction := range program(N) {
		code = append(code, codes[instruction.name])
		values = append(values, instruction.value)
	}
	fmt.Println(run(code, values))
}
