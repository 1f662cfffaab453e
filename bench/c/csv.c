// Lines of values between commas: made, split, sorted out and joined again.
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N 300000
#define FIELDS 4
#define PEOPLE 8

typedef struct {
    char name[32];
    int64_t amount;
} Person;

static Person people[PEOPLE];
static int count;

static void pay(const char *name, int64_t amount) {
    for (int i = 0; i < count; i++) {
        if (strcmp(people[i].name, name) == 0) {
            people[i].amount += amount;
            return;
        }
    }
    snprintf(people[count].name, sizeof people[count].name, "%s", name);
    people[count++].amount = amount;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const Person *)a)->name, ((const Person *)b)->name);
}

static char *make_text(int64_t n) {
    const char *names[] = {"ann", "bob", "carla", "dimitri", "eve"};
    const char *towns[] = {"Paris", "Oslo", "Rome", "Lima"};
    char *text = malloc(n * 32), *end = text;
    int64_t x = 5;
    for (int64_t i = 0; i < n; i++) {
        x = (x * 1103515245 + 12345) % 2147483648;
        end += sprintf(end, "%s%lld,%s,%s,%lld", i ? "\n" : "", (long long)i, names[(x / 65536) % 5],
                       towns[(x / 1024) % 4], (long long)((x / 256) % 1000));
    }
    return text;
}

static void upper(char *text) {
    for (; *text; text++) *text = toupper((unsigned char)*text);
}

int main(void) {
    char *text = make_text(N);
    char *report = malloc(N * 32), *end = report, *first = NULL, *last = NULL;
    int64_t lines = 0;
    for (char *line = text; line;) {
        char *next = strchr(line, '\n');
        if (next) *next++ = 0;
        char *fields[FIELDS], *rest = line;
        for (int i = 0; i < FIELDS; i++) {
            fields[i] = rest;
            rest = strchr(rest, ',');
            if (!rest) break;
            *rest++ = 0;
        }
        int64_t amount = atoll(fields[3]);
        if (amount >= 500) {
            fields[1][0] = toupper((unsigned char)fields[1][0]);
            upper(fields[2]);
            pay(fields[1], amount);
            if (lines++) *end++ = '\n';
            last = end;
            if (!first) first = end;
            end += sprintf(end, "%s;%s;%s", fields[1], fields[2], fields[0]);
        }
        line = next;
    }
    qsort(people, count, sizeof *people, by_name);
    for (int i = 0; i < count; i++) printf("%s %lld\n", people[i].name, (long long)people[i].amount);
    printf("%lld %lld %.*s %s\n", (long long)lines, (long long)(end - report), (int)strcspn(first, "\n"), first, last);
    free(text);
    free(report);
    return 0;
}
