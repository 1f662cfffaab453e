// Big numbers of limbs below 10^9, lowest first: a factorial, a Fibonacci number, their lengths in digits, a quotient.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FACTORIAL 12000
#define FIBONACCI 150000
#define BASE 1000000000
#define LIMBS 6000

typedef struct {
    int64_t size;
    uint32_t limbs[LIMBS];
} Big;

static Big *make(uint32_t value) {
    Big *big = calloc(1, sizeof *big);
    big->size = value != 0;
    big->limbs[0] = value;
    return big;
}

static void multiply(Big *a, uint32_t factor) {
    uint64_t carry = 0;
    for (int64_t i = 0; i < a->size; i++) {
        carry += (uint64_t)a->limbs[i] * factor;
        a->limbs[i] = carry % BASE;
        carry /= BASE;
    }
    if (carry) a->limbs[a->size++] = carry;
}

static void add(Big *a, const Big *b) {
    uint32_t carry = 0;
    int64_t size = a->size > b->size ? a->size : b->size;
    for (int64_t i = 0; i < size; i++) {
        uint32_t sum = a->limbs[i] + b->limbs[i] + carry;
        carry = sum >= BASE;
        a->limbs[i] = carry ? sum - BASE : sum;
    }
    a->size = size;
    if (carry) a->limbs[a->size++] = 1;
}

static size_t digits(const Big *a) {
    char *text = malloc(a->size * 9 + 2), *end = text;
    end += sprintf(end, "%u", a->size ? a->limbs[a->size - 1] : 0);
    for (int64_t i = a->size - 2; i >= 0; i--) end += sprintf(end, "%09u", a->limbs[i]);
    size_t length = strlen(text);
    free(text);
    return length;
}

// The quotient modulo 10^9 + 7, by long division; `a` becomes the remainder.
static uint64_t quotient_modulo(Big *a, const Big *divisor, uint64_t modulus) {
    // Both times a factor that makes the highest limb of the divisor at least half of the base.
    Big *b = make(0);
    *b = *divisor;
    int64_t n = b->size;
    uint32_t scale = BASE / (b->limbs[n - 1] + 1);
    multiply(a, scale);
    multiply(b, scale);
    uint64_t result = 0, top = b->limbs[n - 1];
    for (int64_t j = a->size - n; j >= 0; j--) {
        uint64_t high = (uint64_t)a->limbs[j + n] * BASE + a->limbs[j + n - 1];
        uint64_t digit = high / top;
        if (digit >= BASE) digit = BASE - 1;
        int64_t borrow = 0;
        for (int64_t i = 0; i <= n; i++) {
            borrow += (int64_t)a->limbs[i + j] - (int64_t)(digit * (i < n ? b->limbs[i] : 0));
            int64_t limb = borrow % BASE;
            borrow /= BASE;
            if (limb < 0) {
                limb += BASE;
                borrow--;
            }
            a->limbs[i + j] = limb;
        }
        // The digit was too large by two at most: put the divisor back as often.
        while (borrow < 0) {
            uint32_t carry = 0;
            for (int64_t i = 0; i <= n; i++) {
                uint32_t sum = a->limbs[i + j] + (i < n ? b->limbs[i] : 0) + carry;
                carry = sum >= BASE;
                a->limbs[i + j] = carry ? sum - BASE : sum;
            }
            borrow += carry;
            digit--;
        }
        result = (result * BASE + digit) % modulus;
    }
    free(b);
    return result;
}

int main(void) {
    Big *factorial = make(1);
    for (uint32_t i = 1; i <= FACTORIAL; i++) multiply(factorial, i);
    printf("%zu\n", digits(factorial));

    Big *a = make(0), *b = make(1);
    for (int64_t i = 0; i < FIBONACCI; i++) {
        add(a, b);
        Big *next = a;
        a = b;
        b = next;
    }
    printf("%zu\n", digits(a));
    printf("%llu\n", (unsigned long long)quotient_modulo(factorial, b, 1000000007));
    free(factorial);
    free(a);
    free(b);
    return 0;
}
