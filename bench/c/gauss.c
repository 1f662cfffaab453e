// The determinant of a matrix of floats by elimination with pivots.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 900

static double determinant(double **a, int64_t n) {
    double result = 1.0;
    for (int64_t i = 0; i < n; i++) {
        int64_t pivot = i;
        for (int64_t r = i + 1; r < n; r++)
            if (fabs(a[r][i]) > fabs(a[pivot][i])) pivot = r;
        if (pivot != i) {
            double *row = a[pivot];
            a[pivot] = a[i];
            a[i] = row;
            result = -result;
        }
        result *= a[i][i];
        for (int64_t r = i + 1; r < n; r++) {
            double factor = a[r][i] / a[i][i];
            for (int64_t c = i; c < n; c++) a[r][c] -= factor * a[i][c];
        }
    }
    return result;
}

int main(void) {
    double **matrix = malloc(N * sizeof *matrix);
    int64_t seed = 3;
    for (int64_t i = 0; i < N; i++) {
        matrix[i] = malloc(N * sizeof **matrix);
        for (int64_t j = 0; j < N; j++) {
            seed = (seed * 1103515245 + 12345) % 2147483648;
            matrix[i][j] = (double)((seed / 65536) % 1000) / 5000.0 - 0.1;
        }
        matrix[i][i] += 1.5;
    }
    double d = determinant(matrix, N);
    int64_t digits = 0;
    for (double size = fabs(d); size >= 1.0; size /= 10.0) digits++;
    printf("%s %lld\n", d > 0.0 ? "true" : "false", (long long)digits);
    return 0;
}
