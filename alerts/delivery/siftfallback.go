package delivery

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/internal/document"
)

// A fallbackEntry is the fallback of a receiver, and where that stands in the file.
type fallbackEntry struct {
	fallback
	path string
	node document.Node
}

// readFallback takes out of a receiver what is said of its fallback.
func (s *sifter) readFallback(m document.Mapping) {
	n, ok := given(m, "fallback")
	after := readLength(m, "fallback_after", 1)
	switch name := value(m, "name"); {
	case !ok && m.Has("fallback_after"):
		m.FailKey("fallback_after", "is of a fallback, and there is none", "name a receiver under fallback, or remove it")
	case ok && n.Text() != "" && name != "":
		if s.fallbacks == nil {
			s.fallbacks = map[string]fallbackEntry{}
		}
		s.fallbacks[name] = fallbackEntry{fallback{n.Text(), cmp.Or(after, defaultFallback)}, m.Path() + ".fallback", n}
	}
	m.Remove("fallback")
	m.Remove("fallback_after")
}

// checkFallbacks looks for receivers that there are not, and for circles.
func (s *sifter) checkFallbacks() {
	for _, name := range s.names {
		e, ok := s.fallbacks[name]
		if !ok {
			continue
		}
		known(e.node, s.names, "receiver", "receivers")
		way := []string{name}
		for next := e.receiver; next != "" && !slices.Contains(way[1:], next); next = s.fallbacks[next].receiver {
			way = append(way, next)
			if next == name {
				e.node.Fail(e.node.Shown(), "leads in a circle: "+strings.Join(way, ", "), "have one of them without a fallback")
				break
			}
		}
	}
}
