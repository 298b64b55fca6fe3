package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/oracle"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows"
)

// askOracle recomputes every KPI from the log, as it is now, a while ago, and
// in history, and says where the engine differs.
func (r *run) askOracle() (differences []string) {
	o := oracle.New(r.replica.Catalogue(), oracle.Timing{Disorder: r.config.Disorder, Lateness: r.config.Lateness, DedupWindow: r.config.DedupWindow})
	for _, m := range r.log.Messages() {
		var t stream.Tick
		if m.Tick {
			_ = json.Unmarshal(m.Data, &t) // the script wrote it
		}
		o.Read(oracle.Message{Stamp: m.Stamp, Data: m.Data, Tick: m.Tick, To: t.To})
	}
	ledger := r.replica.Ledger()
	words := ledger.Total.Words()
	for word, n := range o.Ledger() {
		if words[word] != n {
			differences = append(differences, fmt.Sprintf("the ledger has %s %d, the oracle %d", word, words[word], n))
		}
	}
	wm := ledger.Watermark
	if wm.IsZero() {
		return differences
	}
	moments := []time.Time{{}, wm, wm.Add(-90 * time.Second), wm.Add(-r.config.Lateness - time.Minute)}
	for _, k := range r.replica.Catalogue().KPIs {
		for _, by := range k.By {
			for _, w := range k.Windows {
				for _, at := range moments {
					a, err := r.replica.Query(context.Background(), api.Query{KPI: k, Window: w, By: by, At: at})
					if err != nil {
						differences = append(differences, fmt.Sprintf("%s: %v", k.Name, err))
						continue
					}
					if d := against(o, r.config.Location, a); d != "" {
						differences = append(differences, fmt.Sprintf("%s{by=%s, window=%s} until %s differs from the oracle (- is the oracle's)\n%s", k.Name, by, w, r.clock(a.End), d))
					}
				}
			}
		}
	}
	return differences
}

// against compares an answer with the oracle's, "" when they agree.
func against(o *oracle.Oracle, zone *time.Location, a *windows.Answer) string {
	seen := oracle.View{Before: o.Head()}
	if !a.Complete {
		seen = oracle.View{Before: a.End.Unix(), Waiting: true}
	}
	var right []oracle.Sample
	if a.Window.IsDay() {
		right = o.Day(a.KPI, a.By, kpi.NewCalendar(zone).Day(a.Start.UnixMilli()), seen)
	} else {
		right = o.Sliding(a.KPI, a.By, a.Window, a.End.Unix(), seen)
	}
	var want, got []string
	for _, s := range right {
		want = append(want, line(a, s.Labels, s.Null, s.Numerator, s.Denominator, s.Currency, s.Revision))
	}
	for _, s := range a.Samples {
		if slices.Contains(s.Labels, kpi.Other) {
			return "" // budgets are not the oracle's business
		}
		got = append(got, line(a, s.Labels, s.Null, s.Numerator.N.Saturated(), s.Denominator.N.Saturated(), s.Currency, s.Revision))
	}
	slices.Sort(want)
	slices.Sort(got)
	if top := a.KPI.Top; top > 0 && len(want) > top {
		want = slices.DeleteFunc(want, func(l string) bool { return !slices.Contains(got, l) })
	}
	if slices.Equal(want, got) {
		return ""
	}
	return diff(want, got)
}

func line(a *windows.Answer, labels []string, null bool, num, den int64, currency string, revision int) string {
	value := fmt.Sprint(num)
	switch {
	case a.KPI.Ratio():
		value = fmt.Sprintf("%d/%d", num, den)
	case null:
		value, currency = "null", ""
	}
	if a.Complete {
		value += fmt.Sprintf(" rev %d", revision)
	}
	return strings.TrimSpace(fmt.Sprintf("%q %s %s", labels, value, currency))
}
