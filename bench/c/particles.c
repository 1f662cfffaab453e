// Particles in a box that bounce from its walls: structs and floats.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define N 1000
#define STEPS 20000

typedef struct {
    double x, y, speed_x, speed_y, mass;
} Particle;

static double energy_of(const Particle *p) {
    return 0.5 * p->mass * (p->speed_x * p->speed_x + p->speed_y * p->speed_y);
}

static void move(Particle *p, double time) {
    p->speed_y -= 9.81 * time;
    p->x += p->speed_x * time;
    p->y += p->speed_y * time;
    if (p->x < 0 || p->x > 100) {
        p->speed_x = -p->speed_x;
        p->x = fmax(0, fmin(100, p->x));
    }
    if (p->y < 0) {
        p->y = -p->y;
        p->speed_y = -0.9 * p->speed_y;
    }
}

static int64_t seed = 77;

static double random_number(void) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return (double)((seed / 65536) % 1000) / 1000;
}

int main(void) {
    Particle *particles = malloc(N * sizeof *particles);
    for (int i = 0; i < N; i++) {
        particles[i].x = random_number() * 100;
        particles[i].y = random_number() * 50;
        particles[i].speed_x = random_number() * 20 - 10;
        particles[i].speed_y = random_number() * 20 - 10;
        particles[i].mass = 1 + random_number();
    }
    for (int step = 0; step < STEPS; step++)
        for (int i = 0; i < N; i++) move(&particles[i], 0.01);
    double energy = 0, height = 0;
    for (int i = 0; i < N; i++) {
        energy += energy_of(&particles[i]);
        if (particles[i].y > height) height = particles[i].y;
    }
    printf("%lld %lld\n", (long long)energy, (long long)(height * 100));
    free(particles);
    return 0;
}
