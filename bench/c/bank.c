// Accounts with deposits, withdrawals and transfers; amounts are held between limits.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define ACCOUNTS 500
#define N 10000000

typedef struct {
    int64_t id, balance, moves, refused;
} Account;

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
    return x < low ? low : x > high ? high : x;
}

static void deposit(Account *account, int64_t amount) {
    account->balance += amount;
    account->moves++;
}

static bool withdraw(Account *account, int64_t amount) {
    if (account->balance < amount) {
        account->refused++;
        return false;
    }
    account->balance -= amount;
    account->moves++;
    return true;
}

static bool transfer(Account *source, Account *target, int64_t amount) {
    if (!withdraw(source, amount)) return false;
    deposit(target, amount);
    return true;
}

int main(void) {
    static Account accounts[ACCOUNTS];
    for (int64_t i = 0; i < ACCOUNTS; i++) accounts[i] = (Account){i, 1000, 0, 0};
    int64_t seed = 2024, done = 0;
    for (int64_t i = 0; i < N; i++) {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        Account *account = &accounts[(seed / 65536) % ACCOUNTS];
        int64_t amount = clamp((seed / 256) % 1500 - 200, 1, 1000);
        switch ((seed / 4096) % 4) {
        case 0:
            deposit(account, amount);
            done++;
            break;
        case 1:
            if (withdraw(account, amount)) done++;
            break;
        default:
            if (transfer(account, &accounts[(account->id * 7 + i) % ACCOUNTS], amount)) done++;
        }
    }
    int64_t refused = 0;
    const Account *richest = &accounts[0];
    for (int64_t i = 0; i < ACCOUNTS; i++) {
        refused += accounts[i].refused;
        if (accounts[i].balance > richest->balance) richest = &accounts[i];
    }
    printf("%lld %lld\n", (long long)done, (long long)refused);
    printf("%lld %lld %lld\n", (long long)richest->id, (long long)richest->balance, (long long)richest->moves);
    return 0;
}
