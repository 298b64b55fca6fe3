package queryable

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Cache keeps what closed windows came to, of which most change no more: dashboards and
// rules read the same ones again and again. What was not read for long goes first. A nil
// Cache keeps nothing.
type Cache struct {
	room int

	mu         sync.Mutex
	size       int // of young
	young, old map[cacheKey]*shelf
	turn       uint64 // counts how often young became old, from 1 on
}

// A shelf has frames by the end of their windows.
type shelf struct {
	frames map[int64]*frame
	names  []*name // of the newest one, be it kept or not
}

// NewCache keeps about so many bytes.
func NewCache(bytes int) *Cache {
	return &Cache{room: bytes / 2, young: map[cacheKey]*shelf{}, turn: 1}
}

// A cacheKey is what frames are of.
type cacheKey struct {
	kpi              *kpi.KPI
	window           kpi.Window
	by, match, parts string
}

func (t *target) key(parts []kpi.Part) cacheKey {
	var match strings.Builder
	for _, field := range t.By {
		if text, ok := t.Match[field]; ok {
			match.WriteString(field + "=" + strconv.Quote(text) + ",")
		}
	}
	return cacheKey{t.KPI, t.Window, t.By.String(), match.String(), fmt.Sprint(parts)}
}

// find is what is kept of the windows that end at ends, nil for those of which nothing is,
// and the names of the newest frame of any.
func (c *Cache) find(key cacheKey, ends []int64) (out []*frame, names []*name) {
	out = make([]*frame, len(ends))
	if c == nil {
		return out, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var again []int // found among the old
	young, old := c.young[key], c.old[key]
	for i, end := range ends {
		if out[i] = young.at(end); out[i] != nil {
			continue
		}
		if out[i] = old.at(end); out[i] != nil {
			again = append(again, i)
		}
	}
	for _, i := range again {
		c.put(key, ends[i], out[i])
	}
	switch {
	case young != nil:
		names = young.names
	case old != nil:
		names = old.names
	}
	return out, names
}

func (s *shelf) at(end int64) *frame {
	if s == nil {
		return nil
	}
	return s.frames[end]
}

// keep keeps the frame of the window that ends at end, if it is not so large that little
// else had room.
func (c *Cache) keep(key cacheKey, end int64, f *frame) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fits(f) {
		c.put(key, end, f)
	}
}

// remember keeps the names of a frame alone, for the next one.
func (c *Cache) remember(key cacheKey, f *frame) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fits(f) {
		c.shelve(key, f, 0)
	}
}

func (c *Cache) fits(f *frame) bool { return f.size()+f.nameSize()*len(f.names) <= c.room/4 }

func (c *Cache) put(key cacheKey, end int64, f *frame) {
	before := c.young[key].at(end)
	switch {
	case before == nil:
	case before.version == f.version:
		return
	default:
		c.size -= before.size()
	}
	c.shelve(key, f, f.size()).frames[end] = f
}

// shelve is the shelf of a frame of that size, which has its names from then on. It makes
// room by letting go of what was not read since that was done last.
func (c *Cache) shelve(key cacheKey, f *frame, size int) *shelf {
	if c.size+size+c.cost(key, f) > c.room {
		c.old, c.young, c.size, c.turn = c.young, map[cacheKey]*shelf{}, 0, c.turn+1
	}
	c.size += size + c.cost(key, f)
	s := c.young[key]
	if s == nil {
		s = &shelf{frames: map[int64]*frame{}}
		c.young[key] = s
	}
	if !sameNames(s.names, f.names) {
		for _, n := range f.names {
			n.turn = c.turn
		}
		s.names = f.names
	}
	return s
}

// cost is about how many more bytes the shelf takes by having the names of a frame.
func (c *Cache) cost(key cacheKey, f *frame) (size int) {
	switch s := c.young[key]; {
	case s == nil:
		size = keySize + len(key.by) + len(key.match) + len(key.parts)
	case sameNames(s.names, f.names):
		return 0
	}
	for _, n := range f.names {
		if n.turn != c.turn {
			size += f.nameSize()
		}
	}
	return size
}

// Bytes that a key takes, a frame, a name, the labels of a part, and a name in a list.
const (
	keySize    = 512
	frameSize  = 128
	nameSize   = 96
	labelsSize = 160
	listed     = 8
)

// size is about how many bytes a frame takes without its names, but for a list of its own.
func (f *frame) size() int {
	if f.lists {
		return frameSize + 8*len(f.values) + listed*len(f.names)
	}
	return frameSize + 8*len(f.values)
}

// nameSize is about how many bytes one of its names takes.
func (f *frame) nameSize() int { return nameSize + labelsSize*len(f.values)/max(1, len(f.names)) }
