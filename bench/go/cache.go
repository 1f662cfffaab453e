// A cache that forgets what was not used for longest: a map for places, structs for a chain in order of use.
package main

import "fmt"

const (
	CAPACITY = 1000
	N        = 3000000
)

type Entry struct {
	key, value    int
	before, after *Entry
}

type Cache struct {
	entries      map[int]*Entry
	ends         *Entry
	hits, misses int
}

// The entry `ends` is both ends of the chain: after it comes the newest, before it the oldest.
func makeCache() *Cache {
	ends := &Entry{}
	ends.before, ends.after = ends, ends
	return &Cache{entries: map[int]*Entry{}, ends: ends}
}

func (c *Cache) takeOut(entry *Entry) {
	entry.before.after = entry.after
	entry.after.before = entry.before
}

func (c *Cache) putFirst(entry *Entry) {
	entry.before = c.ends
	entry.after = c.ends.after
	entry.after.before = entry
	c.ends.after = entry
}

func (c *Cache) lookUp(key int) (int, bool) {
	entry, ok := c.entries[key]
	if !ok {
		c.misses++
		return 0, false
	}
	c.hits++
	c.takeOut(entry)
	c.putFirst(entry)
	return entry.value, true
}

func (c *Cache) store(key, value int) {
	var entry *Entry
	if len(c.entries) < CAPACITY {
		entry = &Entry{}
	} else {
		entry = c.ends.before
		c.takeOut(entry)
		delete(c.entries, entry.key)
	}
	entry.key = key
	entry.value = value
	c.entries[key] = entry
	c.putFirst(entry)
}

func main() {
	cache := makeCache()
	seed, total := 31, 0
	for i := 0; i < N; i++ {
		seed = (seed*1103515245 + 12345) % 2147483648
		key := (seed / 65536) % 1500
		if key >= 900 {
			key = (seed / 256) % 5000
		}
		value, ok := cache.lookUp(key)
		if !ok {
			value = key * key % 1009
			cache.store(key, value)
		}
		total = (total + value) % 1000000007
	}
	fmt.Println(total, cache.hits, cache.misses)
}
