// The shortest way through a maze of cells, by breadth first search.
package main

import "fmt"

const N = 1000

var seed = 7

func random(limit int) int {
	seed = (seed*1103515245 + 12345) % 2147483648
	return (seed / 65536) % limit
}

func makeMaze(n int) [][]bool {
	maze := make([][]bool, n)
	for y := range maze {
		maze[y] = make([]bool, n)
		for x := range maze[y] {
			maze[y][x] = random(100) < 28
		}
	}
	maze[0][0] = false
	maze[n-1][n-1] = false
	return maze
}

type Cell struct{ x, y int }

func distances(maze [][]bool, n int) [][]int {
	distance := make([][]int, n)
	for y := range distance {
		distance[y] = make([]int, n)
		for x := range distance[y] {
			distance[y][x] = -1
		}
	}
	steps := []Cell{{1, 0}, {0, 1}, {-1, 0}, {0, -1}}
	queue := []Cell{{0, 0}}
	distance[0][0] = 0
	for next := 0; next < len(queue); next++ {
		cell := queue[next]
		for _, step := range steps {
			x, y := cell.x+step.x, cell.y+step.y
			if x >= 0 && x < n && y >= 0 && y < n && !maze[y][x] && distance[y][x] < 0 {
				distance[y][x] = distance[cell.y][cell.x] + 1
				queue = append(queue, Cell{x, y})
			}
		}
	}
	return distance
}

func main() {
	distance := distances(makeMaze(N), N)
	farthest, reached := 0, 0
	for _, row := range distance {
		for _, d := range row {
			if d >= 0 {
				reached++
				farthest = max(farthest, d)
			}
		}
	}
	fmt.Println(distance[N-1][N-1], farthest, reached)
}
