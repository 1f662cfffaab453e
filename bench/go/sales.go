// Groups of sales with totals in a map, then the largest sales by a sort.
package main

import (
	"fmt"
	"sort"
)

const N = 300000

type Sale struct {
	region, product  string
	amount, quantity int
}

type Key struct {
	region, product string
}

type Total struct {
	key           Key
	total, number int
}

func main() {
	regions := []string{"north", "south", "east", "west"}
	products := []string{"apple", "pear", "plum", "fig", "kiwi"}

	sales := []Sale{}
	seed := 3
	for i := 0; i < N; i++ {
		seed = (seed*1103515245 + 12345) % 2147483648
		sales = append(sales, Sale{
			region:   regions[(seed/65536)%4],
			product:  products[(seed/1024)%5],
			amount:   (seed / 256) % 500,
			quantity: (seed/4096)%9 + 1,
		})
	}

	groups := map[Key]*Total{}
	totals := []*Total{}
	for _, s := range sales {
		if s.amount <= 20 {
			continue
		}
		key := Key{s.region, s.product}
		group, ok := groups[key]
		if !ok {
			group = &Total{key: key}
			groups[key] = group
			totals = append(totals, group)
		}
		group.total += s.amount * s.quantity
		group.number++
	}
	sort.SliceStable(totals, func(i, j int) bool { return totals[i].key.region < totals[j].key.region })
	for _, t := range totals {
		fmt.Println(t.key.region, t.key.product, t.total, t.number)
	}

	ordered := make([]Sale, len(sales))
	copy(ordered, sales)
	sort.SliceStable(ordered, func(i, j int) bool {
		a, b := ordered[i], ordered[j]
		return a.amount*1000+a.quantity > b.amount*1000+b.quantity
	})
	top := 0
	for _, s := range ordered[5:15] {
		top += s.amount*10 + s.quantity
	}
	fmt.Println(len(totals), top)
}
