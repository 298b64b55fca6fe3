package plugin

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
)

const (
	// maxChannel is how long the name of a channel may be, by Grafana.
	maxChannel = 160
	// maxStreams and maxColumns bound what is remembered of queries.
	maxStreams = 1000
	maxColumns = 500
)

// streams are the queries that are followed, or can be, by the paths of their channels.
type streams struct {
	mu     sync.Mutex
	opened map[string]*stream
	order  []string // of the paths, the one that was asked for last at the end
}

// A stream is a query with what its panels know.
type stream struct {
	query   Query
	columns columns
}

// open is the stream of a query. Where there is no room in a channel's name for the query
// itself its digest stands for it, with a dot that base64url has not.
func (s *streams) open(uid string, q Query) (path string, of *stream) {
	path = streamPrefix + encode(q)
	if len("ds/")+len(uid)+1+len(path) > maxChannel {
		sum := sha256.Sum256([]byte(path))
		path = streamPrefix + "." + base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return path, s.keep(path, q)
}

// find is the stream of a path that somebody asks for.
func (s *streams) find(path string) (*stream, bool) {
	s.mu.Lock()
	of := s.opened[path]
	s.mu.Unlock()
	if of != nil {
		return of, true
	}
	q, ok := decode(path)
	if !ok {
		return nil, false
	}
	return s.keep(path, q), true
}

func (s *streams) keep(path string, q Query) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened == nil {
		s.opened = map[string]*stream{}
	}
	if i := slices.Index(s.order, path); i >= 0 {
		s.order = slices.Delete(s.order, i, i+1)
	}
	s.order = append(s.order, path)
	if s.opened[path] == nil {
		s.opened[path] = &stream{query: q}
	}
	if len(s.order) > maxStreams {
		delete(s.opened, s.order[0])
		s.order = s.order[1:]
	}
	return s.opened[path]
}

// columns are the fields of a stream behind the time. They are those of all panels that
// asked for it, and those that came since: a panel keeps what it has as long as its fields
// are among them.
type columns struct {
	mu    sync.Mutex
	list  []line // without values
	at    map[string]int
	dropt int // how many were forgotten, so that no count comes twice
}

// learn adds those that are not known.
func (c *columns) learn(lines []line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(lines)
}

func (c *columns) add(lines []line) {
	if c.at == nil {
		c.at = map[string]int{}
	}
	for _, l := range lines {
		key := l.key()
		if _, known := c.at[key]; known {
			continue
		}
		c.at[key] = len(c.list)
		c.list = append(c.list, line{name: l.name, labels: maps.Clone(l.labels), config: l.config})
	}
}

// row is a frame of one row, and the state of the columns: another one where they changed.
func (c *columns) row(lines []line, t time.Time) (f *data.Frame, state int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(lines)
	if len(c.list) > max(maxColumns, 2*len(lines)) { // of a top list, those that left it long ago
		c.dropt += len(c.list)
		c.list, c.at = nil, nil
		c.add(lines)
	}
	values := make([]*float64, len(c.list))
	for i := range lines {
		values[c.at[lines[i].key()]] = lines[i].values[0]
	}
	full := slices.Clone(c.list)
	for i := range full {
		full[i].times, full[i].values = []time.Time{t}, values[i:i+1]
	}
	if len(full) == 0 {
		return framed(data.FrameTypeTimeSeriesWide, timeField([]time.Time{t}, 0)), -1
	}
	return wide(full, 0), c.dropt + len(c.list)
}

// schema is a frame without rows; nil before anything is known.
func (c *columns) schema() *data.Frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.list) == 0 {
		return nil
	}
	return wide(slices.Clone(c.list), 0)
}
