// Particles in a box that bounce from its walls: structs with methods and floats.
package main

import "fmt"

const (
	N     = 1000
	STEPS = 20000
)

type Particle struct {
	x, y, speedX, speedY, mass float64
}

func (p *Particle) energy() float64 {
	return 0.5 * p.mass * (p.speedX*p.speedX + p.speedY*p.speedY)
}

func (p *Particle) move(time float64) {
	p.speedY -= 9.81 * time
	p.x += p.speedX * time
	p.y += p.speedY * time
	if p.x < 0 || p.x > 100 {
		p.speedX = -p.speedX
		p.x = max(0, min(100, p.x))
	}
	if p.y < 0 {
		p.y = -p.y
		p.speedY = -0.9 * p.speedY
	}
}

var seed = 77

func random() float64 {
	seed = (seed*1103515245 + 12345) % 2147483648
	return float64((seed/65536)%1000) / 1000
}

func main() {
	particles := []*Particle{}
	for i := 0; i < N; i++ {
		x := random() * 100
		y := random() * 50
		speedX := random()*20 - 10
		speedY := random()*20 - 10
		particles = append(particles, &Particle{x, y, speedX, speedY, 1 + random()})
	}
	for step := 0; step < STEPS; step++ {
		for _, p := range particles {
			p.move(0.01)
		}
	}
	energy, height := 0.0, 0.0
	for _, p := range particles {
		energy += p.energy()
		height = max(height, p.y)
	}
	fmt.Println(int(energy), int(height*100))
}
