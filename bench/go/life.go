// The game of life on a torus: a new grid for every generation.
package main

import "fmt"

const (
	N           = 200
	GENERATIONS = 200
)

func aliveAround(grid [][]int, x, y int) int {
	count := 0
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			if dx != 0 || dy != 0 {
				count += grid[(y+dy+N)%N][(x+dx+N)%N]
			}
		}
	}
	return count
}

func step(grid [][]int) [][]int {
	next := make([][]int, N)
	for y := range next {
		next[y] = make([]int, N)
		for x := range next[y] {
			around := aliveAround(grid, x, y)
			if around == 3 || (around == 2 && grid[y][x] == 1) {
				next[y][x] = 1
			}
		}
	}
	return next
}

func main() {
	grid := make([][]int, N)
	seed := 5
	for y := range grid {
		grid[y] = make([]int, N)
		for x := range grid[y] {
			seed = (seed*1103515245 + 12345) % 2147483648
			grid[y][x] = (seed / 65536) % 2
		}
	}
	for i := 0; i < GENERATIONS; i++ {
		grid = step(grid)
	}
	total := 0
	for _, row := range grid {
		for _, cell := range row {
			total += cell
		}
	}
	fmt.Println(total)
}
