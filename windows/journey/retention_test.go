package journey

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tidewatch/tidewatch/kpi"
)

const hour = int64(3600)

// TestRetention: what is told of starts (s), returns (r) and events that are both (b).
func TestRetention(t *testing.T) {
	day := zone(t).Day(start * 1000)
	type event struct {
		kind byte
		at   int64 // hours after midnight
	}
	for name, tt := range map[string]struct {
		rule   kpi.Retention
		events []event
		want   []string
	}{
		"no start":            {kpi.Retention{}, []event{{'r', 1}, {'r', 25}}, nil},
		"the day after":       {kpi.Retention{}, []event{{'s', 23}, {'r', 24}, {'r', 25}}, []string{"cohort 0", "returned 0 after 0"}},
		"the day itself":      {kpi.Retention{}, []event{{'b', 1}, {'b', 23}}, []string{"cohort 0"}},
		"another day":         {kpi.Retention{}, []event{{'s', 1}, {'r', 48}, {'r', 96}}, []string{"cohort 0"}},
		"a chain":             {kpi.Retention{}, []event{{'b', 1}, {'b', 30}, {'b', 80}}, []string{"cohort 0", "returned 0 after 0", "cohort 1", "returned 0 after 1", "cohort 3"}},
		"starts alone":        {kpi.Retention{}, []event{{'s', 1}, {'s', 30}}, []string{"cohort 0", "cohort 1"}},
		"the first":           {kpi.Retention{First: true}, []event{{'b', 1}, {'b', 30}, {'b', 80}}, []string{"cohort 0", "returned 0 after 0", "returned 0 after 1"}},
		"the first, again":    {kpi.Retention{First: true}, []event{{'b', 0}, {'s', 24}, {'b', 24 * 401}, {'b', 24 * 802}}, []string{"cohort 0", "cohort 802"}},
		"24 hours":            {kpi.Retention{Rolling: true}, []event{{'s', 23}, {'r', 46}, {'r', 47}, {'r', 70}}, []string{"cohort 0", "returned 0 after 0"}},
		"the end of 24 hours": {kpi.Retention{Rolling: true}, []event{{'s', 23}, {'r', 71}, {'r', 95}, {'r', 119}}, []string{"cohort 0", "returned 0 after 1"}},
		"24 hours of two":     {kpi.Retention{Rolling: true}, []event{{'b', 2}, {'s', 3}, {'b', 26}, {'r', 75}}, []string{"cohort 0", "returned 0 after 0", "cohort 1", "returned 0 after 1"}},
	} {
		tt.rule.After = []int{1, 3}
		b := NewBook(NewRetention(&tt.rule, zone(t)))
		kinds := map[byte]uint8{'b': startingBack, 's': starting, 'r': returning}
		for _, e := range tt.events {
			b.Add(0, &Row{Time: (start + e.at*hour) * 1000, Numbers: NoNumbers, Kind: kinds[e.kind]})
		}
		b.Close(start + 1000*24*hour)
		var got []string
		for _, f := range b.TakeFacts() {
			text := fmt.Sprintf("%s %d", kpi.RetentionFacts[f.Kind], f.Day-day)
			if f.Kind == returned {
				text += fmt.Sprintf(" after %d", f.Text)
			}
			got = append(got, text)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// TestReturnAllocatesNothing: what tells nothing new costs no memory.
func TestReturnAllocatesNothing(t *testing.T) {
	rules := NewRetention(&kpi.Retention{After: []int{1, 3}}, zone(t))
	row := Row{Time: start * 1000}
	items := rules.Row(nil, &row, quiet)
	tell := func(Fact, int64) { t.Error("something is told") }
	if n := testing.AllocsPerRun(10, func() { items = rules.Row(items, &row, tell) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestRetentionWords: kinds of facts are places among the words of definitions.
func TestRetentionWords(t *testing.T) {
	for kind, fact := range map[uint8]string{cohort: kpi.FactCohort, returned: kpi.FactReturned} {
		if kpi.RetentionFacts[kind] != fact {
			t.Errorf("%d is %s, want %s", kind, kpi.RetentionFacts[kind], fact)
		}
	}
}
