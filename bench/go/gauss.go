// The determinant of a matrix of floats by elimination with pivots.
package main

import (
	"fmt"
	"math"
)

const N = 900

func determinant(a [][]float64) float64 {
	n := len(a)
	result := 1.0
	for i := 0; i < n; i++ {
		pivot := i
		for r := i + 1; r < n; r++ {
			if math.Abs(a[r][i]) > math.Abs(a[pivot][i]) {
				pivot = r
			}
		}
		if pivot != i {
			a[pivot], a[i] = a[i], a[pivot]
			result = -result
		}
		result *= a[i][i]
		for r := i + 1; r < n; r++ {
			factor := a[r][i] / a[i][i]
			for c := i; c < n; c++ {
				a[r][c] -= factor * a[i][c]
			}
		}
	}
	return result
}

func main() {
	matrix := make([][]float64, N)
	seed := 3
	for i := range matrix {
		row := make([]float64, N)
		for j := range row {
			seed = (seed*1103515245 + 12345) % 2147483648
			row[j] = float64((seed/65536)%1000)/5000.0 - 0.1
		}
		row[i] += 1.5
		matrix[i] = row
	}
	d := determinant(matrix)
	digits := 0
	for size := math.Abs(d); size >= 1.0; size /= 10.0 {
		digits++
	}
	fmt.Println(d > 0.0, digits)
}
