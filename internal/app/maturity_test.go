package app

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// reads is a history that counts what is read of it.
type reads struct {
	merge.History
	n int
}

func (r *reads) Block(id history.BlockID, columns ...string) (*history.Block, error) {
	r.n++
	return r.History.Block(id, columns...)
}

// lostHistory has nothing left.
type lostHistory struct{}

func (lostHistory) Block(id history.BlockID, _ ...string) (*history.Block, error) {
	return nil, &state.LostError{Block: id}
}

// months is a replica of 40 days on each of which somebody clicks and pays two hours
// later, with the watermark so long after the end of the last one.
func months(t *testing.T, kept, after time.Duration) (*Replica, *kpi.KPI) {
	t.Helper()
	c := config.Default()
	c.Data, c.Location, c.Lateness = t.TempDir(), time.UTC, 3*time.Hour
	c.Retention.History["day"] = kept
	c.KPIs = []string{filepath.Join(c.Data, "kpis.yaml")}
	if err := os.WriteFile(c.KPIs[0], []byte(`kpis: [{name: touched, from: attribution, horizon: 1, maturity: lag_ms, windows: [day], count: {where: 'fact == "touched"'}}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	log, begin := NewLog(), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for day := range 40 {
		for i, of := range []string{`"click","channel":"a"`, `"pay","order_id":"o","amount_minor":1,"currency":"CNY"`} {
			at := begin.Add(time.Duration(24*day+20+2*i) * time.Hour)
			log.Append(at.UnixMilli(), fmt.Appendf(nil, `{"id":"%d-%d","time":%d,"user_id":"u%d","type":%s}`, day, i, at.UnixMilli(), day, of))
		}
	}
	to := begin.AddDate(0, 0, 40).Add(after)
	log.Tick(to.UnixMilli(), stream.Tick{To: to.UnixMilli()})
	r, err := OpenReplica(c, log, ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	if err := r.Checkpoint(); err != nil { // what is sealed is in history alone
		t.Fatal(err)
	}
	return r, r.Catalogue().KPI("touched")
}

// TestMaturityReadsHistoryOnce: history is read for the first answer alone, also while
// the newest of the days that are final may change by late rows, and of what is kept.
func TestMaturityReadsHistoryOnce(t *testing.T) {
	for _, c := range []struct {
		name        string
		kept, after time.Duration
		read        int
	}{
		{"sealed", 400 * 24 * time.Hour, 5 * time.Hour, 28},
		{"one may change", 400 * 24 * time.Hour, time.Hour, 27},
		{"of few days", 5 * 24 * time.Hour, 5 * time.Hour, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, k := months(t, c.kept, c.after)
			day := merge.RipeDay(r.plan, k, r.look().live.Head())
			days := int64(min(c.kept/(24*time.Hour), kpi.MaturityDays))
			h := &reads{History: r.store}
			for _, read := range []int{c.read, 0, 0} {
				h.n = 0
				known, err := r.ripening(k, day, h)
				if err != nil {
					t.Fatal(err)
				}
				if h.n != read {
					t.Errorf("%d blocks are read, want %d", h.n, read)
				}
				for age, in := range map[time.Duration]int64{0: 0, time.Hour: 0, 3 * time.Hour: days} {
					if got, want := known.At(age), (sample.Maturity{In: in, Of: days}); got != want {
						t.Errorf("after %v %v, want %v", age, got, want)
					}
				}
			}
			if known, err := r.ripening(k, day-1, h); err != nil || known.Day != day-1 || h.n == 0 {
				t.Errorf("the days up to another: %d blocks are read, of those up to %d, %v", h.n, known.Day, err)
			}
		})
	}
}

// TestMaturityForMany: all who ask at once are told the same, for a window and for many.
func TestMaturityForMany(t *testing.T) {
	r, k := months(t, 400*24*time.Hour, 4*time.Hour)
	want := sample.Maturity{In: 28, Of: 28}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			at := r.look().live.Watermark()
			one, err := r.Query(t.Context(), api.Query{KPI: k, Window: kpi.Day, At: time.UnixMilli(at)})
			if err != nil || one.Complete || one.Maturity != want {
				t.Errorf("a day: %+v, %v, want %v", one, err, want)
			}
			many, err := r.Range(t.Context(), api.RangeQuery{KPI: k, Window: kpi.Day, From: time.UnixMilli(at).AddDate(0, 0, -5)})
			if err != nil {
				t.Error(err)
				return
			}
			open := 0
			for _, p := range many.Series[0].Points {
				if p.Complete && p.Maturity != sample.Final {
					t.Errorf("a final day: %v", p.Maturity)
				}
				if !p.Complete {
					open++
				}
			}
			if last := many.Series[0].Points; open != 2 || last[len(last)-2].Maturity != want || last[len(last)-1].Maturity != (sample.Maturity{Of: 28}) {
				t.Errorf("%d open days: %+v", open, last)
			}
		})
	}
	all.Wait()
}

// TestMaturityOfLostDays: a maturity of days that are lost is not known, which is said,
// and known again once they are there.
func TestMaturityOfLostDays(t *testing.T) {
	r, k := months(t, 400*24*time.Hour, 4*time.Hour)
	for _, c := range []struct {
		history  merge.History
		want     sample.Maturity
		warnings int
	}{
		{lostHistory{}, sample.Maturity{}, 1},
		{r.store, sample.Maturity{In: 28, Of: 28}, 0},
		{lostHistory{}, sample.Maturity{In: 28, Of: 28}, 0}, // it was read
	} {
		a, err := r.query(t.Context(), api.Query{KPI: k, Window: kpi.Day, At: time.UnixMilli(r.look().live.Watermark())})
		if err != nil {
			t.Fatal(err)
		}
		m := &maturing{engine: r.engine, history: c.history}
		if err := m.mature(a); err != nil {
			t.Fatal(err)
		}
		if told := m.warnings(); a.Maturity != c.want || len(told) != c.warnings || len(told) > 0 && !strings.HasPrefix(told[0], "maturity is not known: ") {
			t.Errorf("with %T: %v, %q, want %v", c.history, a.Maturity, told, c.want)
		}
	}
}
