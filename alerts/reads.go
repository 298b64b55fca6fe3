package alerts

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Read is a KPI in live windows that some rule reads.
type Read struct {
	KPI    string
	By     kpi.Set
	Window kpi.Window
}

// Queries reports whether a View is asked for what expressions come to.
func (e *Engine) Queries() bool {
	return slices.ContainsFunc(e.groups, func(g *group) bool { return slices.ContainsFunc(g.rules, (*rule).queries) })
}

// queries reports whether the rule asks: by its expression, by what it recovers on, or by
// a template.
func (r *rule) queries() bool { return r.queried() || r.Recover != "" && r.recovery == nil || r.Asks() }

// Reads are all whose series a View is asked for.
func (e *Engine) Reads() (out []Read) {
	for _, g := range e.groups {
		for _, r := range g.rules {
			if !r.queried() {
				out = append(out, Read{r.kpi.Name, r.by, r.selector.window})
			}
		}
	}
	return out
}

// Recordings are what is recorded, with the distance between its samples.
func (e *Engine) Recordings() iter.Seq2[Recording, time.Duration] { return Recordings(e.files) }

// Recordings are those of files.
func Recordings(files []*RuleFile) iter.Seq2[Recording, time.Duration] {
	return func(yield func(Recording, time.Duration) bool) {
		for _, f := range files {
			for _, g := range f.Groups {
				for _, r := range g.Recordings {
					if !yield(r, cmp.Or(g.Interval, QueryInterval)) {
						return
					}
				}
			}
		}
	}
}

// Finest is how often rules may change their mind: the shortest distance between
// evaluations of their groups, or between the ends of the windows that they read.
func (e *Engine) Finest() time.Duration {
	finest := time.Hour
	for _, g := range e.groups {
		for _, r := range g.rules {
			every := time.Duration(g.interval) * time.Millisecond
			if every == 0 { // it is no query, then
				every = r.selector.window.Step()
			}
			if every > 0 { // days end when they do
				finest = min(finest, every)
			}
		}
	}
	return max(finest, time.Second)
}
