package queryable

import (
	"strings"
	"sync"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Cache keeps what sealed windows came to, which changes no more: dashboards and rules
// read the same ones again and again. What was not read for long goes first. A nil Cache
// keeps nothing.
type Cache struct {
	room int

	mu         sync.Mutex
	size       int                           // of young
	young, old map[cacheKey]map[int64]*frame // by the end of the window
}

// NewCache keeps about so many bytes.
func NewCache(bytes int) *Cache {
	return &Cache{room: bytes / 2, young: map[cacheKey]map[int64]*frame{}}
}

// A cacheKey is what frames are of.
type cacheKey struct {
	kpi              *kpi.KPI
	window           kpi.Window
	by, match, parts string
}

func (t *target) key(parts []kpi.Part) cacheKey {
	var match, names strings.Builder
	for _, field := range t.By {
		if text, ok := t.Match[field]; ok {
			match.WriteString(field + "=" + text)
		}
		match.WriteByte(0xff)
	}
	for _, p := range parts {
		names.WriteString(t.KPI.Series(p))
		names.WriteByte(' ')
	}
	return cacheKey{t.KPI, t.Window, t.By.String(), match.String(), names.String()}
}

// find is what is kept of the windows that end at ends, nil for those of which nothing is.
func (c *Cache) find(key cacheKey, ends []int64) []*frame {
	out := make([]*frame, len(ends))
	if c == nil {
		return out
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	young, old := c.young[key], c.old[key]
	for i, end := range ends {
		if out[i] = young[end]; out[i] != nil {
			continue
		}
		if f := old[end]; f != nil {
			delete(old, end)
			c.put(key, end, f)
			young, old, out[i] = c.young[key], c.old[key], f
		}
	}
	return out
}

// keep keeps frames by the end of their windows.
func (c *Cache) keep(key cacheKey, frames map[int64]*frame) {
	if c == nil || len(frames) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for end, f := range frames {
		if c.young[key][end] == nil {
			c.put(key, end, f)
		}
	}
}

// put makes room by letting go of what was not read since that was done last.
func (c *Cache) put(key cacheKey, end int64, f *frame) {
	if c.size+f.size() > c.room {
		c.old, c.young, c.size = c.young, map[cacheKey]map[int64]*frame{}, 0
	}
	frames := c.young[key]
	if frames == nil {
		frames = map[int64]*frame{}
		c.young[key] = frames
	}
	frames[end] = f
	c.size += f.size()
}

// frameRoom is how large a frame may be that is kept.
func (c *Cache) frameRoom() int {
	if c == nil {
		return -1
	}
	return c.room / 16
}

// Bytes that a frame takes in a cache, and each name of its own.
const (
	frameSize = 128
	nameSize  = 96
)

// size is about how many bytes a frame takes.
func (f *frame) size() int {
	return frameSize + 8*(len(f.values)+len(f.names)) + nameSize*f.own
}
