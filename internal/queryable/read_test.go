package queryable

import (
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/tidewatch/tidewatch/kpi"
)

// byContent is a reader of a value by content.
func byContent() *reader {
	return newReader(&target{Question: Question{KPI: &kpi.KPI{}, By: kpi.Set{"content_id"}}, parts: []kpi.Part{kpi.ValuePart}, match: make([][]*labels.Matcher, 3)},
		&ledger{}, func(int64) error { return nil })
}

// TestGone: what is gone ends once, at the next time that there is, and not if it is back by
// then.
func TestGone(t *testing.T) {
	for _, tt := range []struct {
		windows string // a letter each that is in, or - at a time that none stands at
		want    string // of a
	}{
		{"a b b ab", " 0:1 1:end 3:1"},
		{"a- b b a b", " 1:end 3:1 4:end"},
		{"a- b- b", " 2:end"},
		{"a- b- a b", " 2:1 3:end"},
		{"a- b- a- b", " 3:end"},
	} {
		r := byContent()
		for i, window := range strings.Fields(tt.windows) {
			f, in := &frame{}, instant{times: []int64{int64(i)}}
			for _, letter := range window {
				if letter == '-' {
					in.times = nil
					continue
				}
				f.names, f.values = append(f.names, &name{values: []string{string(letter)}}), append(f.values, 1)
			}
			if err := r.add(f, in); err != nil {
				t.Fatal(err)
			}
		}
		got := ""
		for _, p := range r.groups[0].parts[0].points {
			if isValue(p.v) {
				got += fmt.Sprintf(" %d:%v", p.t, p.v)
			} else {
				got += fmt.Sprintf(" %d:end", p.t)
			}
		}
		if got != tt.want {
			t.Errorf("%s: got%s, want%s", tt.windows, got, tt.want)
		}
	}
}

// BenchmarkChurn reads windows of 1,000 series each, half of which are in the next one.
func BenchmarkChurn(b *testing.B) {
	for _, windows := range []int{360, 1440} {
		names := make([]*name, 1000+windows*500)
		for i := range names {
			names[i] = &name{values: []string{fmt.Sprintf("v%07d", i)}}
		}
		b.Run(fmt.Sprint(windows), func(b *testing.B) {
			for b.Loop() {
				r := byContent()
				for i := range windows {
					f := &frame{names: names[i*500:][:1000], values: make([]float64, 1000)}
					if err := r.add(f, instant{times: []int64{int64(i)}}); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
