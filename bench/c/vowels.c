// Looking at the characters of a text: vowels, words that are turned round, palindromes.
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 40000
#define TEXT "Anna saw a level plain and the noon sun over the old kayak near a civic tower where Otto made a radar"

static bool is_vowel(char c) {
    return strchr("aeiou", c) != NULL;
}

static int64_t count_vowels(const char *text) {
    int64_t count = 0;
    for (; *text; text++)
        if (is_vowel(*text)) count++;
    return count;
}

static void turn(const char *word, size_t size, char *out) {
    for (size_t i = 0; i < size; i++) out[size - 1 - i] = word[i];
}

static bool is_palindrome(const char *word, size_t size) {
    for (size_t i = 0, j = size - 1; i < j; i++, j--)
        if (word[i] != word[j]) return false;
    return true;
}

int main(void) {
    int64_t vowels = 0, palindromes = 0, characters = 0;
    size_t size = strlen(TEXT);
    char *text = malloc(size + 1), *back = malloc(size + 1);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i <= size; i++) text[i] = tolower((unsigned char)TEXT[i]);
        vowels += count_vowels(text);
        char *end = back;
        for (const char *word = text;;) {
            size_t length = strcspn(word, " ");
            turn(word, length, end);
            end += length;
            if (length > 1 && is_palindrome(word, length)) palindromes++;
            if (!word[length]) break;
            *end++ = ' ';
            word += length + 1;
        }
        *end = 0;
        characters += strlen(back);
    }
    printf("%lld %lld %lld\n", (long long)vowels, (long long)palindromes, (long long)characters);
    printf("%s\n", back);
    free(text);
    free(back);
    return 0;
}
