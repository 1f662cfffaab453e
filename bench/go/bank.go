// Accounts with deposits, withdrawals and transfers; amounts are held between limits.
package main

import "fmt"

const (
	ACCOUNTS = 500
	N        = 10000000
)

type Account struct {
	id, balance, moves, refused int
}

func clamp(x, low, high int) int {
	return max(low, min(x, high))
}

func (a *Account) deposit(amount int) {
	a.balance += amount
	a.moves++
}

func (a *Account) withdraw(amount int) bool {
	if a.balance < amount {
		a.refused++
		return false
	}
	a.balance -= amount
	a.moves++
	return true
}

func transfer(source, target *Account, amount int) bool {
	if source.withdraw(amount) {
		target.deposit(amount)
		return true
	}
	return false
}

func main() {
	accounts := []*Account{}
	for i := 0; i < ACCOUNTS; i++ {
		accounts = append(accounts, &Account{id: i, balance: 1000})
	}
	seed, done := 2024, 0
	for i := 0; i < N; i++ {
		seed = (seed*1103515245 + 12345) % 2147483648
		account := accounts[(seed/65536)%ACCOUNTS]
		amount := clamp((seed/256)%1500-200, 1, 1000)
		switch (seed / 4096) % 4 {
		case 0:
			account.deposit(amount)
			done++
		case 1:
			if account.withdraw(amount) {
				done++
			}
		default:
			other := accounts[(account.id*7+i)%ACCOUNTS]
			if transfer(account, other, amount) {
				done++
			}
		}
	}
	refused := 0
	richest := accounts[0]
	for _, account := range accounts {
		refused += account.refused
		if account.balance > richest.balance {
			richest = account
		}
	}
	fmt.Println(done, refused)
	fmt.Println(richest.id, richest.balance, richest.moves)
}
