// Values of type any: a list of mixed kinds, switch and == on them, sums in an any variable.
package main

import "fmt"

const N = 3000000

func score(value any) int {
	switch value {
	case "two":
		return 2
	case 3:
		return 3
	case 1.5:
		return 1
	case true:
		return 7
	case nil:
		return 9
	}
	return 0
}

func kind(value any) int {
	if value == "two" {
		return 1
	}
	if value == 3 {
		return 2
	}
	if value == 1.5 {
		return 3
	}
	return 4
}

func main() {
	values := []any{"two", 3, 1.5, true, nil, 8, "three", 2.5}
	total := 0
	for i := 0; i < N; i++ {
		value := values[i%8]
		total += score(value) + kind(value)
	}
	fmt.Println(total)

	var sum any = 0
	for i := 0; i < N; i++ {
		sum = sum.(int) + i
		if sum.(int) > 1000000 {
			sum = sum.(int) - 1000000
		}
	}
	fmt.Println(sum)
}
