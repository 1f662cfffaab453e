// All ways to put queens on a board so that none attacks another, by backtracking.
package main

import "fmt"

const N = 13

type Board struct {
	size                     int
	columns, rising, falling []bool
}

func (b *Board) isFree(row, column int) bool {
	return !b.columns[column] && !b.rising[row+column] && !b.falling[row-column+b.size-1]
}

func (b *Board) mark(row, column int, taken bool) {
	b.columns[column] = taken
	b.rising[row+column] = taken
	b.falling[row-column+b.size-1] = taken
}

func (b *Board) solve(row int) int {
	if row == b.size {
		return 1
	}
	ways := 0
	for column := 0; column < b.size; column++ {
		if b.isFree(row, column) {
			b.mark(row, column, true)
			ways += b.solve(row + 1)
			b.mark(row, column, false)
		}
	}
	return ways
}

func main() {
	for n := 4; n <= N; n++ {
		board := &Board{n, make([]bool, n), make([]bool, 2*n), make([]bool, 2*n)}
		fmt.Println(n, board.solve(0))
	}
}
