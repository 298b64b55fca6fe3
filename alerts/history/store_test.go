package history

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/kpi"
)

var begins = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

// says is a notification of an alert that fired at a minute, at another.
func says(rule string, fired int, status alerts.State, minute int) alerts.Notification {
	n := alerts.Notification{
		Group: "g", Rule: rule, Status: status, Labels: map[string]string{"alertname": rule}, Annotations: map[string]string{"value": fmt.Sprint(minute)},
		ActiveAt: at(fired), StartsAt: at(fired), WindowEnd: at(minute).UnixMilli(),
	}
	if status == alerts.Resolved {
		n.EndsAt = at(minute)
	}
	n.Identify("")
	return n
}

func at(minute int) time.Time { return begins.Add(time.Duration(minute) * time.Minute) }

func fires(rule string, minute int) alerts.Notification {
	return says(rule, minute, alerts.Firing, minute)
}

func resolves(rule string, fired, minute int) alerts.Notification {
	return says(rule, fired, alerts.Resolved, minute)
}

// list writes all episodes, the newest first: what fired, from when to when, who was told.
func list(s *Store) (out []string) {
	for _, e := range s.List(Query{Limit: 2 * Most}).Episodes {
		line := fmt.Sprint(e.Rule, " ", e.FiredAt.Sub(begins).Minutes())
		if !e.ResolvedAt.IsZero() {
			line += fmt.Sprint("-", e.ResolvedAt.Sub(begins).Minutes())
		}
		if e.Corrected {
			line += fmt.Sprint(" corrected ", e.CorrectedAt.Sub(begins).Minutes())
		}
		for _, t := range e.Told {
			line += fmt.Sprintf(" %s %s %s", t.Receiver, t.Status, t.Outcome)
		}
		out = append(out, strings.Join(slices.Concat([]string{line}, e.SilencedBy, e.InhibitedBy, e.InhibitedByRules, e.MutedBy), " "))
	}
	return out
}

// disk is what a store has had written.
type disk map[string][]byte

func (d disk) flush(s *Store) {
	maps.Copy(d, s.Changes())
	dropped := s.Dropped()
	for _, key := range dropped {
		delete(d, key)
	}
	s.Deleted(dropped)
}

func (d disk) open(t *testing.T) *Store {
	t.Helper()
	s := New()
	for key, data := range d {
		if err := s.Restore(key, data); err != nil {
			t.Fatal(err)
		}
	}
	s.Restored()
	return s
}

// steps are what happens to a history.
var steps = []func(s *Store){
	func(s *Store) { s.Take([]alerts.Notification{fires("Low", 1), fires("Night", 1)}) },
	func(s *Store) {
		n := fires("Low", 1)
		s.Tell(&n, Telling{Receiver: "ops", Outcome: "failed", Error: "answered 404"})
		s.Tell(&n, Telling{Receiver: "ops", Outcome: "delivered"})
		s.Tell(&n, Telling{Receiver: "ops", Outcome: "failed", Error: "a repeat"})
	},
	func(s *Store) {
		n := fires("Night", 1)
		s.Hold(&n, alerts.Hold{SilencedBy: []string{"s1"}})
		s.Hold(&n, alerts.Hold{SilencedBy: []string{"s1"}, InhibitedBy: []string{"1d03"}, InhibitedByRules: []string{"Down"}, MutedBy: []string{"weekend"}})
	},
	func(s *Store) { s.Take([]alerts.Notification{resolves("Low", 1, 4), fires("Low", 5)}) },
	func(s *Store) {
		n := resolves("Low", 1, 4)
		s.Tell(&n, Telling{Receiver: "ops", Outcome: "delivered"})
	},
	func(s *Store) { s.Take([]alerts.Notification{resolves("Night", 1, 6), resolves("Unseen", 2, 6)}) },
	func(s *Store) {
		n := resolves("Low", 1, 4)
		n.Corrected, n.WindowEnd = true, at(9).UnixMilli()
		s.Take([]alerts.Notification{n, resolves("Low", 1, 4)})
		s.Tell(&n, Telling{Receiver: "ops", Outcome: "delivered"})
	},
}

var all = []string{
	"Unseen 2-6",
	"Low 5",
	"Night 1-6 s1 1d03 Down weekend",
	"Low 1-4 corrected 9 ops firing delivered ops resolved delivered ops corrected delivered",
}

// TestHistory: what happened is told, through restarts, and told once if it happens again.
func TestHistory(t *testing.T) {
	for crash := range len(steps) + 1 {
		d := disk{}
		s := d.open(t)
		for i, step := range steps {
			step(s)
			d.flush(s)
			if i+1 == crash { // what came before comes again
				s = d.open(t)
				for _, step := range steps[:crash] {
					step(s)
				}
			}
		}
		if diff := cmp.Diff(all, list(s)); diff != "" {
			t.Errorf("crash after %d: (-want +got)\n%s", crash, diff)
		}
		d.flush(s)
		if diff := cmp.Diff(all, list(d.open(t))); diff != "" {
			t.Errorf("crash after %d, restored: (-want +got)\n%s", crash, diff)
		}
		if e := s.Firing(); len(e) != 1 || e[0].Rule != "Low" {
			t.Errorf("crash after %d: fires %v", crash, e)
		}
	}
}

// TestUnwritten: what could not be written is written with the next change.
func TestUnwritten(t *testing.T) {
	s := New()
	s.Take([]alerts.Notification{fires("Low", 1)})
	lost := s.Changes()
	if len(s.Changes()) != 0 {
		t.Error("it is said twice")
	}
	s.Unwritten(lost)
	if diff := cmp.Diff(lost, s.Changes()); diff != "" {
		t.Error(diff)
	}
}

// TestUnseenEnd: an alert fires once at a time. Of one whose resolve was lost the end is
// that it fires anew.
func TestUnseenEnd(t *testing.T) {
	s := New()
	s.Take([]alerts.Notification{fires("Low", 1), fires("Low", 8)})
	if diff := cmp.Diff([]string{"Low 8", "Low 1-8"}, list(s)); diff != "" {
		t.Error(diff)
	}
	if because := s.List(Query{Limit: 2}).Episodes[1].ResolvedAnnotations["resolved_because"]; because != "its end was not seen" {
		t.Errorf("because %q", because)
	}
}

// TestSubject: what the figures are of is known when the rule is gone.
func TestSubject(t *testing.T) {
	d := disk{}
	s := New()
	n := fires("GMVLow", 1)
	n.Subject = &alerts.Subject{KPI: "gmv_paid", Unit: kpi.UnitMoney}
	s.Take([]alerts.Notification{n, resolves("GMVLow", 1, 4)})
	d.flush(s)
	if e := d.open(t).List(Query{Limit: 1}).Episodes[0]; e.Subject == nil || *e.Subject != *n.Subject || e.Notification().Subject == nil {
		t.Errorf("%+v is of %v", e, e.Subject)
	}
}

// TestBounds: so many episodes are kept, for so long, those that fire longer than others.
func TestBounds(t *testing.T) {
	d := disk{}
	s := New()
	const month = 30 * 24 * 60
	s.Take([]alerts.Notification{fires("Old", 0), fires("Long", 1), resolves("Old", 0, 2), fires("Late", 3), resolves("Late", 3, 10)})
	d.flush(s)
	s.Take([]alerts.Notification{fires("New", month+5)})
	d.flush(s)
	want := []string{fmt.Sprint("New ", month+5), "Late 3-10", "Long 1"}
	if diff := cmp.Diff(want, list(s)); diff != "" {
		t.Errorf("by age: (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(want, list(d.open(t))); diff != "" {
		t.Errorf("by age, restored: (-want +got)\n%s", diff)
	}
	var many []alerts.Notification
	for i := range Most {
		many = append(many, fires(fmt.Sprint("Many", i), month+6), resolves(fmt.Sprint("Many", i), month+6, month+7))
	}
	s.Take(many)
	d.flush(s)
	got := list(s)
	if len(got) != Most || len(d) != Most || got[Most-1] != "Long 1" || got[Most-2] != want[0] || !strings.HasPrefix(got[Most-3], "Many2 ") {
		t.Errorf("%d are kept, %d on disk, the last %v", len(got), len(d), got[max(0, len(got)-3):])
	}

	s = New()
	long := says("Words", 1, alerts.Firing, 1)
	long.Annotations["text"] = strings.Repeat("x", mostBytes/2)
	s.Take([]alerts.Notification{fires("Low", 1), long, resolves("Low", 1, 1)})
	other := says("More", 1, alerts.Firing, 1)
	other.Annotations["text"] = long.Annotations["text"]
	s.Take([]alerts.Notification{other})
	if diff := cmp.Diff([]string{"More 1"}, list(s)); diff != "" {
		t.Errorf("by size: (-want +got)\n%s", diff)
	}
}

// TestList: a list is read in parts, while more comes.
func TestList(t *testing.T) {
	s := New()
	for i := range 5 {
		s.Take([]alerts.Notification{fires(fmt.Sprint("R", i%2), 10*i), resolves(fmt.Sprint("R", i%2), 10*i, 10*i+5)})
	}
	s.Take([]alerts.Notification{fires("R1", 50)})
	for _, c := range []struct {
		q    Query
		want string
	}{
		{Query{To: at(99)}, "50 40 30 20 10 0"},
		{Query{Rule: "R1"}, "50 30 10"},
		{Query{From: at(25), To: at(99)}, "50 40 30 20"},
		{Query{From: at(26), To: at(40)}, "30"},
		{Query{To: at(1)}, "0"},
		{Query{From: at(60), To: at(99)}, "50"},
	} {
		c.q.Limit = 2
		var got []string
		for i := 0; ; i++ {
			p := s.List(c.q)
			for _, e := range p.Episodes {
				got = append(got, fmt.Sprint(e.FiredAt.Sub(begins).Minutes()))
			}
			if c.q.Before = p.Next; p.Next == 0 {
				break
			}
			s.Take([]alerts.Notification{fires(fmt.Sprint("Other", i), 100+i)})
		}
		if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%+v: (-want +got)\n%s", c.q, diff)
		}
	}
}

// TestSpans: for how long alerts were active is told, of any time.
func TestSpans(t *testing.T) {
	s := New()
	late := fires("Low", 10)
	late.ActiveAt = at(7)
	s.Take([]alerts.Notification{fires("Low", 1), resolves("Low", 1, 4), fires("Night", 2), late})
	d := disk{}
	d.flush(s)
	for _, s := range []*Store{s, d.open(t)} {
		for _, c := range []struct {
			rule     string
			from, to int
			want     string
		}{
			{"", 0, 99, "Low 1 1 4, Night 2 2 -, Low 7 10 -"},
			{"Low", 0, 99, "Low 1 1 4, Low 7 10 -"},
			{"", 5, 6, "Night 2 2 -"},
			{"", 4, 7, "Low 1 1 4, Night 2 2 -, Low 7 10 -"},
			{"", 0, 0, ""},
		} {
			var got []string
			for _, one := range s.Spans(c.rule, at(c.from).UnixMilli(), at(c.to).UnixMilli()) {
				minute := func(ms int64) any {
					if ms == 0 {
						return "-"
					}
					return time.UnixMilli(ms).Sub(begins).Minutes()
				}
				got = append(got, fmt.Sprint(one.Labels["alertname"], " ", minute(one.ActiveAt), " ", minute(one.FiredAt), " ", minute(one.ResolvedAt)))
			}
			if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("%+v: (-want +got)\n%s", c, diff)
			}
		}
	}
}

// TestDamage: what is not an episode is refused.
func TestDamage(t *testing.T) {
	s := New()
	s.Take([]alerts.Notification{fires("Low", 1)})
	for key, data := range s.Changes() {
		for _, bad := range []struct {
			key  string
			data []byte
		}{{key, data[:10]}, {key + "0", data}, {key, []byte("{}")}, {"account/1", data}} {
			if err := New().Restore(bad.key, bad.data); err == nil {
				t.Errorf("%s %s is taken", bad.key, bad.data)
			}
		}
	}
}
