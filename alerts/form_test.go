package alerts

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/windows/sample"
)

// An edit from a selector to an expression of the same series, and back, tells nobody anew
// and forgets no resolve.
func TestFormEdit(t *testing.T) {
	const (
		selector   = `{alert: Low, expr: 'kpi_plays{by="channel",window="5m"} < 10', for: 20s}`
		expression = `{alert: Low, expr: 'kpi_plays{by="channel",window="5m"} * 1 < 10', for: 20s}`
		total      = `{alert: Low, expr: 'kpi_plays{by="total",window="5m"} < 10', for: 20s}`
		totals     = `{alert: Low, expr: 'kpi_plays{by="total",window="5m"} * 1 < 10', for: 20s}`
		summed     = `{alert: Low, expr: 'sum by (channel) (kpi_plays{by="channel",window="5m"}) < 10', for: 20s}`
		regions    = `{alert: Low, expr: 'kpi_plays{by="region",window="5m"} * 1 < 10', for: 20s}`
	)
	// low has the series be below 10, or not.
	low := func(low bool) board {
		b, n := board{}, int64(50)
		if low {
			n = 5
		}
		b["plays/channel/5m"], b["plays/total/5m"] = []sample.Sample{count(n, "douyin")}, []sample.Sample{count(n)}
		for text, series := range map[string][]string{
			`kpi_plays{by="channel",window="5m"} * 1`:                {"by", "channel", "channel", "douyin", "window", "5m"},
			`kpi_plays{by="total",window="5m"} * 1`:                  {"by", "total", "window", "5m"},
			`sum by (channel) (kpi_plays{by="channel",window="5m"})`: {"channel", "douyin"},
			`kpi_plays{by="region",window="5m"} * 1`:                 {"by", "region", "region", "cn-gd", "window", "5m"},
		} {
			b[text] = []sample.Sample{count(n, series...)}
			if b[text+" < 10"] = nil; low {
				b[text+" < 10"] = b[text]
			}
		}
		return b
	}
	for _, tt := range []struct {
		name, from, to string
		// told is what is said after an edit of what is pending, of what fires, and when it is over.
		pending, fires, over string
	}{
		{"selector to expression", selector, expression, "firing", "", "resolved"},
		{"expression to selector", expression, selector, "firing", "", "resolved"},
		{"total to expression", total, totals, "firing", "", "resolved"},
		{"expression to total", totals, total, "firing", "", "resolved"},
		{"to other labels", selector, summed, "", "resolved", ""},
		{"to other series", selector, regions, "", "resolved", ""},
		{"to a selector of others", regions, selector, "", "resolved", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			told := func(e *Engine, second int64, is bool) (out string, ids []string) {
				for _, n := range e.Evaluate(at1(second), low(is)) {
					out = strings.TrimSpace(out + " " + string(n.Status))
					ids = append(ids, n.Alert, n.Fingerprint)
				}
				return out, ids
			}
			edit := func(e *Engine, to string) *Engine {
				next := engine(t, "groups: [{name: g, interval: 5s, rules: ["+to+"]}]")
				state, clock := e.State()
				if err := next.Restore(state, clock); err != nil {
					t.Fatal(err)
				}
				return next
			}
			e := edit(engine(t), tt.from)
			told(e, 0, true)
			pending, _ := told(edit(e, tt.to), 20, true)
			fired, ids := told(e, 20, true)
			if fired != "firing" || pending != tt.pending {
				t.Errorf("fired: told %q; pending: told %q, want %q", fired, pending, tt.pending)
			}
			e = edit(e, tt.to)
			fires, _ := told(e, 25, true)
			e = edit(e, tt.to) // a restart
			over, same := told(e, 30, false)
			if fires != tt.fires || over != tt.over {
				t.Errorf("fires: told %q, want %q; over: told %q, want %q", fires, tt.fires, over, tt.over)
			}
			if tt.over != "" && fmt.Sprint(same) != fmt.Sprint(ids) {
				t.Errorf("the resolve is of %s, what fired was %s", same, ids)
			}
			if firing, pending := e.Counts(); firing+pending != 0 {
				t.Errorf("%d fire, %d are pending", firing, pending)
			}
		})
	}
}
