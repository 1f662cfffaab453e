// Lines of values between commas: made, split, sorted out and joined again.
package main

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

const N = 300000

func makeLines(n int) []string {
	names := []string{"ann", "bob", "carla", "dimitri", "eve"}
	towns := []string{"Paris", "Oslo", "Rome", "Lima"}
	lines := []string{}
	x := 5
	for i := 0; i < n; i++ {
		x = (x*1103515245 + 12345) % 2147483648
		name := names[(x/65536)%len(names)]
		town := towns[(x/1024)%len(towns)]
		lines = append(lines, strconv.Itoa(i)+","+name+","+town+","+strconv.Itoa((x/256)%1000))
	}
	return lines
}

func title(word string) string {
	return strings.ToUpper(word[:1]) + word[1:]
}

func main() {
	text := strings.Join(makeLines(N), "\n")
	people := map[string]int{}
	out := []string{}
	for _, line := range strings.Split(text, "\n") {
		fields := strings.Split(line, ",")
		amount, _ := strconv.Atoi(fields[3])
		if amount >= 500 {
			name := title(fields[1])
			people[name] += amount
			out = append(out, strings.Join([]string{name, strings.ToUpper(fields[2]), fields[0]}, ";"))
		}
	}
	names := []string{}
	for name := range people {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		fmt.Println(name, people[name])
	}
	report := strings.Join(out, "\n")
	fmt.Println(len(out), len(report), out[0], out[len(out)-1])
}
