package inhibition

import (
	"context"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/provider"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
)

const file = `
route: {receiver: a}
receivers: [{name: a}]
inhibit_rules:
  - source_matchers: ['severity="critical"']
    target_matchers: ['severity=~"warning|critical"']
    equal: [alertname, cluster]
  - source_match: {alertname: Down}
    target_match_re: {alertname: 'Slow|Late'}
  - source_matchers: ['alertname="Late"']
    target_matchers: ['severity!=""']
    equal: [absent]
`

func load(t *testing.T) *config.Config {
	t.Helper()
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBy(t *testing.T) {
	r := New(load(t).InhibitRules)
	labels := func(pairs ...string) map[string]string {
		out := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			out[pairs[i]] = pairs[i+1]
		}
		return out
	}
	critical, warning := labels("alertname", "Low", "cluster", "a", "severity", "critical"), labels("alertname", "Low", "cluster", "a", "severity", "warning")
	other := labels("alertname", "Low", "cluster", "b", "severity", "warning")
	if !r.Fires("1", critical) || r.Fires("2", warning) {
		t.Error("what may inhibit is told wrongly")
	}
	if by := r.By(warning); len(by) != 1 || by[0].Fingerprint != labelSet(critical).Fingerprint().String() {
		t.Errorf("by %v", by)
	}
	if by := append(r.By(critical), r.By(other)...); by != nil {
		t.Errorf("by %v, want nothing: one is the source, the other of another cluster", by)
	}
	if !r.Over("1") || r.Over("1") || r.Over("2") || r.By(warning) != nil {
		t.Error("what is over inhibits")
	}
}

// pool is alerts for Alertmanager's own inhibitor, which reads them once.
type pool struct {
	provider.Alerts
	all  []*alert.Alert
	none provider.AlertIterator
}

func (p *pool) SlurpAndSubscribe(string) ([]*alert.Alert, provider.AlertIterator) {
	return p.all, p.none
}

// Alertmanager's own inhibitor says the same of any alerts.
func TestAsAlertmanager(t *testing.T) {
	c := load(t)
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	for range 300 {
		p := &pool{none: provider.NewAlertIterator(nil, make(chan struct{}), nil)}
		r := New(c.InhibitRules)
		seen := map[model.Fingerprint]bool{}
		var labels []map[string]string
		for i := range 1 + random.IntN(6) {
			l := map[string]string{"alertname": pick("Low", "Down", "Slow", "Late"), "cluster": pick("a", "b"), "severity": pick("critical", "warning", "info")}
			fp := labelSet(l).Fingerprint()
			if seen[fp] {
				continue // Alertmanager takes them for one
			}
			seen[fp] = true
			labels = append(labels, l)
			r.Fires(strconv.Itoa(i), l)
			p.all = append(p.all, &alert.Alert{Alert: model.Alert{Labels: labelSet(l), StartsAt: time.Now()}})
		}
		theirs := inhibit.NewInhibitor(p, c.InhibitRules, promslog.NewNopLogger(), eventrecorder.NopRecorder())
		done := make(chan struct{})
		go func() { defer close(done); theirs.Run() }()
		theirs.WaitForLoading()
		for _, l := range labels {
			if got, want := len(r.By(l)) > 0, theirs.Mutes(context.Background(), labelSet(l)); got != want {
				t.Errorf("%v among %v: inhibited %v, Alertmanager's says %v", l, labels, got, want)
			}
		}
		theirs.Stop()
		<-done
	}
}
