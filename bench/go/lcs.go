// The longest common subsequence of two lists of numbers, by a table.
package main

import "fmt"

const N = 4000

func generateList(n, seed int) []int {
	out := []int{}
	x := seed
	for i := 0; i < n; i++ {
		x = (x*1103515245 + 12345) % 2147483648
		out = append(out, (x/65536)%4)
	}
	return out
}

func common(a, b []int) int {
	n, m := len(a), len(b)
	best := make([][]int, n+1)
	for i := range best {
		best[i] = make([]int, m+1)
	}
	for i := 1; i <= n; i++ {
		for j := 1; j <= m; j++ {
			if a[i-1] == b[j-1] {
				best[i][j] = best[i-1][j-1] + 1
			} else if best[i-1][j] > best[i][j-1] {
				best[i][j] = best[i-1][j]
			} else {
				best[i][j] = best[i][j-1]
			}
		}
	}
	return best[n][m]
}

func main() {
	fmt.Println(common(generateList(N, 1), generateList(N, 2)))
}
