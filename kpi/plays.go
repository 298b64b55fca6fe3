package kpi

import (
	"fmt"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

// Plays is an operator that puts plays together from their parts: play_start,
// play_progress and play_end of the same user, session_id and content_id. A play begins
// with any part and ends with a play_end, with the next play_start, or Gap after its last
// part, a part at that instant being behind the end.
//
// Its facts, one when a play ends, look like an event of type play at that time, with
// the texts of the play's first part. They have a field "type", which is "play", and
// "end", one of PlayEnds, and the numbers
//
//	watch_ms     that of the play_end; without it the time from the first part to the
//	             last, but no more than the duration if that is known, and than the
//	             furthest position is beyond that of the first part if the last has one
//	duration_ms  the last one above 0 that a part has
//	position_ms  the furthest that a part has, or watch_ms up to the duration if that is
//	             further; the duration of a play that was completed
type Plays struct {
	// Where is what an event is that is looked at, nil for every one of these types.
	Where *Expr
	Gap   time.Duration
}

// PlayEnds say how a play ended: by a play_end with completed, by another one, by the
// next play_start, or because nothing came any more.
var PlayEnds = []string{"completed", "ended", "replaced", "silent"}

// FactPlay is the kind of facts of Plays.
const FactPlay = "play"

// EndField says how a play ended.
const EndField = "end"

var playFacts = factKinds{FactPlay: {
	counted: true,
	numbers: []string{"watch_ms", "duration_ms", "position_ms"},
	fields:  map[string][]string{"type": {"play"}, EndField: PlayEnds},
}}

// Follows implements Journey.
func (p *Plays) Follows() []Followed {
	end := textIs("type", "play_end")
	part := func(e *Expr) Followed {
		return Followed{narrow(p.Where, e), []string{"duration_ms", "position_ms", "watch_ms"}}
	}
	return []Followed{
		part(textIs("type", "play_start")),
		part(textIs("type", "play_progress")),
		part(join(And, end, textIs("completed", "true"))),
		part(end),
	}
}

// Key implements Journey.
func (p *Plays) Key() []string { return []string{"session_id", "content_id"} }

// FactNames implements Journey.
func (p *Plays) FactNames() []string { return []string{FactPlay} }

// Horizon implements Journey: a play belongs to the day on which it ends.
func (p *Plays) Horizon() int { return 0 }

func (p *Plays) kinds() factKinds { return playFacts }

func (p *Plays) meaning() string {
	return fmt.Sprintf("plays(gap %s; %s)", FormatLength(p.Gap), p.Where)
}

// defaultPlayGap ends a play of which nothing comes any more.
const defaultPlayGap = 30 * time.Minute

func readPlays(n document.Node) Journey {
	m := n.Mapping("where", "gap")
	return &Plays{Where: readWhere(m), Gap: readLength(m, "gap", minGap, maxGap, defaultPlayGap)}
}
