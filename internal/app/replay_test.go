package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/backtest"
	"github.com/tidewatch/tidewatch/stream"
)

// From opens the log as a Replay reads a stream.
func (l *Log) From(_ context.Context, sequence uint64) (messages, error) {
	return &logReader{l, sequence}, nil
}

type logReader struct {
	*Log
	next uint64
}

func (r *logReader) Next(_ context.Context, buf []stream.Raw, _ int) ([]stream.Raw, error) {
	end := min(r.next+99, r.last())
	buf = append(buf, r.messages[r.next-1:end]...)
	r.next = end + 1
	return buf, nil
}

func (r *logReader) Close() {}

const replayed = `{alert: Low, expr: 'kpi_ctr{by="channel",window="1m"} < 0.3', for: 30s, min_samples: 5},
	{alert: Asked, expr: 'low:ctr < 0.3', for: 30s},
	{record: 'low:ctr', expr: 'min(kpi_ctr{by="channel",window="1m"})'},
	{alert: Daily, expr: 'kpi_ctr{by="channel",window="24h"} < 0.001'},
	{alert: Monthly, expr: 'kpi_mau > 1e9'}`

// clicking is two hours of a channel that is clicked on, but in some minutes. Of the last
// of these many clicks come late.
func clicking(events *Log) {
	bad := func(at time.Duration) bool {
		minute := int(at / time.Minute)
		return minute >= 10 && minute < 14 || minute >= 56 && minute < 63 || minute >= 80 && minute < 83 || minute >= 90 && minute < 93
	}
	for at := time.Duration(0); at < 2*time.Hour; at += 2 * time.Second {
		var lines []string
		add := func(kind string, of time.Duration) {
			lines = append(lines, fmt.Sprintf(`{"id":"%s%d","time":%d,"type":%q,"user_id":"u","channel":"a","content_id":"c"}`, kind, of, noon.Add(of).UnixMilli(), kind))
		}
		add("impression", at)
		if !bad(at) {
			add("click", at)
		}
		if late := at - 4*time.Minute; late >= 90*time.Minute && late < 93*time.Minute {
			add("click", late)
		}
		if late := at - 14*time.Minute; late >= 80*time.Minute && late < 83*time.Minute { // too late to count
			add("click", late)
		}
		events.Append(noon.Add(at).UnixMilli(), []byte(strings.Join(lines, "\n")))
	}
}

func incidents(r *backtest.Report) (out []string) {
	for _, a := range r.Alerts {
		corrected := ""
		if a.Corrected {
			corrected = " corrected"
		}
		out = append(out, fmt.Sprintf("%s %s to %s%s (%d)", a.Rule, a.FiredAt.Sub(noon), a.ResolvedAt.Sub(noon), corrected, a.Notifications))
	}
	slices.Sort(out)
	return out
}

// A backtest over the stream says what was decided live, late events and all; where the
// stream does not reach back to, sealed values do.
func TestReplay(t *testing.T) {
	c := alerting(t, replayed)
	c.Alertmanager = ""
	events := NewLog()
	live := backtest.NewReport(noon, noon, time.Second)
	r, err := OpenReplica(c, events, ReplicaOptions{Decided: func(n alerts.Notification) { _ = live.Take(n, backtest.AsKnownThen) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	clicking(events)
	if err := r.Read(); err != nil {
		t.Fatal(err)
	}
	if got := len(live.Alerts); got != 8 {
		t.Fatalf("live: %d alerts: %q", got, incidents(live))
	}
	rules, err := os.ReadFile(c.Rules[0])
	if err != nil {
		t.Fatal(err)
	}
	rest := *c
	rest.Rules = []string{filepath.Join(t.TempDir(), "none.yml")}
	if err := os.WriteFile(rest.Rules[0], []byte("groups: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	asked := func(from time.Time) (*Replay, *backtest.Report) {
		t.Helper()
		sealed, _, err := r.Backtest(t.Context(), api.Backtest{Name: "rules", Rules: rules, From: from, To: r.Ledger().Watermark})
		if err != nil {
			t.Fatal(err)
		}
		p, err := openReplay(t.Context(), &rest, events, ReplayOptions{Name: "rules", Rules: rules, From: sealed.From.Time, To: sealed.To.Time})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		if p.Definitions() != sealed.Definitions || sealed.Definitions == "" {
			t.Errorf("definitions %q of the service, %q of the replay", sealed.Definitions, p.Definitions())
		}
		if slices.Equal(incidents(sealed), incidents(live)) {
			t.Error("sealed values say the same: there is nothing to tell apart")
		}
		folder := p.folder
		p.between = 64 << 10
		if err := p.Run(t.Context(), sealed, func(int) {}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(folder); err != nil {
			t.Error(err)
		}
		p.Close()
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s is left", folder)
		}
		return p, sealed
	}
	known := func(r *backtest.Report) (out []string) {
		for _, v := range r.Rules {
			from := "never"
			if !v.KnownFrom.IsZero() {
				from = v.KnownFrom.Sub(noon).String()
			}
			out = append(out, strings.TrimSuffix(fmt.Sprintf("%s %s; %s", v.Rule, from, v.Because), "; "))
		}
		slices.Sort(out)
		return out
	}

	_, whole := asked(noon)
	if got, want := incidents(whole), incidents(live); !slices.Equal(got, want) || whole.Notifications != live.Notifications {
		t.Errorf("the whole stream: %q, %d notifications\nlive: %q, %d", got, whole.Notifications, want, live.Notifications)
	}
	if got, want := known(whole), []string{"Asked 0s", "Daily 0s", "Low 0s", "Monthly 0s"}; !slices.Equal(got, want) {
		t.Errorf("the whole stream: %q, want %q", got, want)
	}

	since := noon.Add(75 * time.Minute)
	_, part := asked(since)
	var later []string
	for i := range live.Alerts {
		if a := live.Alerts[i]; a.FiredAt.After(since) {
			later = append(later, incidents(&backtest.Report{Alerts: []backtest.Incident{a}})...)
		}
	}
	slices.Sort(later)
	if got := incidents(part); !slices.Equal(got, later) {
		t.Errorf("from 75 min on: %q, want %q", got, later)
	}

	events.Purge(30 * 30) // of half an hour
	p, joined := asked(noon)
	const begins = ", the stream begins at 2026-11-22T04:30:00Z"
	if got, want := incidents(joined), incidents(live); !slices.Equal(got, want) || joined.Notifications != live.Notifications {
		t.Errorf("half an hour is purged: %q, %d notifications\nlive: %q, %d", got, joined.Notifications, want, live.Notifications)
	}
	if got, want := known(joined), []string{
		"Asked 1h2m33s; it looks back 12m (the window 1m of ctr)" + begins, "Daily never; it looks back 25h (the window 24h of ctr)" + begins,
		"Low 57m33s; it looks back 7m (the window 1m of ctr)" + begins, "Monthly never; it looks back for ever (the window day of mau)" + begins,
	}; !slices.Equal(got, want) {
		t.Errorf("half an hour is purged: %q, want %q", got, want)
	}
	for _, a := range joined.Alerts {
		if want := a.FiredAt.After(noon.Add(58 * time.Minute)); want != (a.Judged == backtest.AsKnownThen) {
			t.Errorf("%s at %s is judged %s", a.Rule, a.FiredAt, a.Judged)
		}
	}
	if got := p.Extent(); got.Messages != 3600-930 || !got.Since.Equal(noon.Add(31*time.Minute)) {
		t.Errorf("read is %+v", got)
	}
}

// A stream that holds too little is not read.
func TestReplayOfTooLittle(t *testing.T) {
	c := alerting(t, `{alert: Low, expr: 'kpi_ctr{window="1h"} < 0.3'}`)
	rules, err := os.ReadFile(c.Rules[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		purged uint64
		want   string
	}{
		{3400, `it looks back 66m (the window 1h of ctr), the stream begins at`},
		{3600, "the stream is empty"},
	} {
		events := NewLog()
		clicking(events)
		events.Purge(tt.purged)
		p, err := openReplay(t.Context(), c, events, ReplayOptions{Name: "rules", Rules: rules, From: noon, To: noon.Add(2 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if n := p.Extent().Messages; n != 0 || !strings.HasPrefix(p.report.Rules[0].Because, tt.want) {
			t.Errorf("%d messages, because %q, want %q", n, p.report.Rules[0].Because, tt.want)
		}
	}
	events := NewLog()
	clicking(events)
	p, err := openReplay(t.Context(), c, events, ReplayOptions{Name: "rules", Rules: rules, From: noon, To: noon.Add(2 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	interrupted, interrupt := context.WithCancelCause(t.Context())
	interrupt(errors.New("a signal"))
	if err := p.Run(interrupted, backtest.NewReport(noon, noon, 0), func(int) {}); err == nil || err.Error() != "a signal" {
		t.Errorf("interrupted: %v", err)
	}
	_, err = openReplay(t.Context(), c, NewLog(), ReplayOptions{Name: "rules", Rules: []byte("groups: [{name: g, rules: [{alert: A, expr: 'kpi_playz > 1'}]}]")})
	if err == nil || !strings.Contains(err.Error(), "kpi_playz is no KPI of the catalogue") {
		t.Errorf("bad rules: %v", err)
	}
}
