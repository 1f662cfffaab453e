// Numbers as text: Roman numerals written and read, numbers in words, columns with leading blanks.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define N 4000
#define ROUNDS 60

static const char *const signs[] = {"M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"};
static const int64_t worth[] = {1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1};

static void to_roman(int64_t n, char *out) {
    *out = 0;
    for (int i = 0; i < 13; i++) {
        for (; n >= worth[i]; n -= worth[i]) {
            strcpy(out, signs[i]);
            out += strlen(out);
        }
    }
}

static int64_t digit(char c) {
    const char *letters = "IVXLCDM";
    static const int64_t values[] = {1, 5, 10, 50, 100, 500, 1000};
    return values[strchr(letters, c) - letters];
}

static int64_t from_roman(const char *text) {
    int64_t total = 0, before = 0;
    for (; *text; text++) {
        int64_t value = digit(*text);
        if (value > before) total -= 2 * before;
        total += value;
        before = value;
    }
    return total;
}

static const char *const small[] = {"zero",    "one",     "two",       "three",    "four",     "five",    "six",
                                    "seven",   "eight",   "nine",      "ten",      "eleven",   "twelve",  "thirteen",
                                    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const tens[] = {"",      "",      "twenty",  "thirty", "forty",
                                   "fifty", "sixty", "seventy", "eighty", "ninety"};

static char *add(char *end, const char *text) {
    strcpy(end, text);
    return end + strlen(text);
}

static char *in_words(int64_t n, char *end) {
    if (n < 20) return add(end, small[n]);
    if (n < 100) {
        end = add(end, tens[n / 10]);
        return n % 10 ? add(add(end, "-"), small[n % 10]) : end;
    }
    int64_t unit = n < 1000 ? 100 : 1000;
    end = add(in_words(n / unit, end), n < 1000 ? " hundred" : " thousand");
    return n % unit ? in_words(n % unit, add(end, " ")) : end;
}

static char *pad_start(char *end, const char *text, size_t n, char pad) {
    for (size_t i = strlen(text); i < n; i++) *end++ = pad;
    return add(end, text);
}

int main(void) {
    int64_t right = 0, characters = 0;
    char roman[64], words[256], longest[256] = "", number[32], line[512];
    for (int round = 0; round < ROUNDS; round++) {
        for (int64_t n = 1; n < N; n++) {
            to_roman(n, roman);
            if (from_roman(roman) == n) right++;
            in_words(n, words);
            if (strlen(words) > strlen(longest)) strcpy(longest, words);
            snprintf(number, sizeof number, "%lld", (long long)n);
            char *end = pad_start(line, number, 6, ' ');
            end = pad_start(end, roman, 18, '.');
            add(add(end, " "), words);
            characters += strlen(line);
        }
    }
    printf("%lld %lld\n", (long long)right, (long long)characters);
    printf("%s\n", longest);
    to_roman(1994, roman);
    in_words(40, words);
    pad_start(line, words, 10, '*');
    printf("%s %lld %s\n", roman, (long long)from_roman("MMXXVI"), line);
    return 0;
}
