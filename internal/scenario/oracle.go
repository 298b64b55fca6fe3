package scenario

import (
	"encoding/json"
	"math/rand/v2"
	"net/url"

	"github.com/tidewatch/tidewatch/internal/oracle"
	"github.com/tidewatch/tidewatch/stream"
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
		erased := ""
		if m.Erasure {
			var e stream.Erasure
			_ = json.Unmarshal(m.Data, &e)
			if erased = "user " + e.UserID; e.UserID == "" {
				erased = "anonymous " + e.AnonymousID
			}
		}
		o.Read(oracle.Message{Stamp: m.Stamp, Data: m.Data, Tick: m.Tick, To: t.To, Erased: erased})
	}
	o.Hear(r.sentSignals())
	note := func(found []oracle.Difference) {
		for _, d := range found {
			differences = append(differences, "differs from the oracle: "+d.String())
		}
	}
	note(o.JudgeLedger(r.ask("/api/v1/ledger")))
	for _, segment := range oracle.Segments {
		status, body := r.ask(oracle.UsersPath(segment))
		note(o.JudgeUsers(segment, status, body))
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		if count := o.RandomCount(random.IntN); count != nil {
			status, body := r.ask(count.Path())
			note(o.JudgeCount(count, status, body))
		}
	}
	moments := []int64{0}
	if wm := r.replica.Ledger().Watermark; !wm.IsZero() {
		moments = append(moments, wm.UnixMilli(), wm.UnixMilli()-90_000, wm.Add(-r.config.Lateness).UnixMilli()-60_000)
	}
	for _, k := range r.replica.Catalogue().KPIs {
		for _, by := range k.By {
			for _, w := range k.Windows {
				for _, at := range moments {
					q := oracle.Question{KPI: k, By: by, Window: w, At: at}
					status, body := r.ask(q.Path())
					note(o.Judge(q, status, body))
				}
			}
		}
	}
	return differences
}

// sentSignals are all that were sent.
func (r *run) sentSignals() (out []oracle.Signal) {
	values := url.Values{"limit": {"1000"}}
	for {
		var data struct {
			Signals []oracle.Signal
			Next    *string
		}
		if refused, err := r.query("/api/v1/signals", values, &data); refused != nil || err != nil {
			return nil
		}
		if out = append(out, data.Signals...); data.Next == nil {
			return out
		}
		values.Set("cursor", *data.Next)
	}
}
