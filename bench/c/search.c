// Where a word stands in a text: every place by comparing, then by Knuth, Morris and Pratt.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 400000
#define ROUNDS 20
#define LONGEST 64

static char *text_of(int64_t n) {
    char *text = malloc(n + 1);
    int64_t x = 17;
    for (int64_t i = 0; i < n; i++) {
        x = (x * 1103515245 + 12345) % 2147483648;
        text[i] = (x / 65536) % 3 == 0 ? 'b' : 'a';
    }
    text[n] = 0;
    return text;
}

static int64_t count_naive(const char *text, int64_t n, const char *word, int64_t m) {
    int64_t found = 0;
    for (int64_t i = 0; i + m <= n; i++) {
        int64_t j = 0;
        while (j < m && text[i + j] == word[j]) j++;
        if (j == m) found++;
    }
    return found;
}

static void borders(const char *word, int64_t m, int64_t *table) {
    table[0] = 0;
    int64_t k = 0;
    for (int64_t i = 1; i < m; i++) {
        while (k > 0 && word[i] != word[k]) k = table[k - 1];
        if (word[i] == word[k]) k++;
        table[i] = k;
    }
}

static int64_t count_kmp(const char *text, const char *word, int64_t m) {
    int64_t table[LONGEST], found = 0, k = 0;
    borders(word, m, table);
    for (; *text; text++) {
        while (k > 0 && (k == m || *text != word[k])) k = table[k - 1];
        if (*text == word[k]) k++;
        if (k == m) found++;
    }
    return found;
}

int main(void) {
    char *text = text_of(N);
    const char *words[] = {"abaabaaab", "aaaaaaaa", "bbabb", "aabaabaabaab"};
    int64_t naive = 0, kmp = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const char *word = words[round % 4];
        naive += count_naive(text, N, word, strlen(word));
        kmp += count_kmp(text, word, strlen(word));
    }
    printf("%lld %lld\n", (long long)naive, (long long)kmp);
    const char *place = strstr(text, "bbbbbbb");
    printf("%s %lld\n", strstr(text, "abaabaaab") ? "true" : "false", place ? (long long)(place - text) : -1);
    free(text);
    return 0;
}
