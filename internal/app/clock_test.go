package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/stream"
)

func TestWallWatch(t *testing.T) {
	type look struct{ wall, passed, ahead time.Duration }
	const s, m, h = time.Second, time.Minute, time.Hour
	for name, looks := range map[string][]look{
		"goes":                 {{0, 0, 0}, {s, s, 0}, {h, h, 0}},
		"is slewed":            {{0, 0, 0}, {m + s/2, m, 0}, {2*m + s, 2 * m, 0}, {3*m + s, 3 * m, 0}},
		"is wrong for 6 s":     {{0, 0, 0}, {24 * h, s, 24*h - s}, {24*h + 5*s, 6 * s, 24*h - s}, {7 * s, 7 * s, 0}},
		"stays":                {{0, 0, 0}, {8*h + s, s, 8 * h}, {8*h + 9*m, 9 * m, 8 * h}, {8*h + 11*m, 11 * m, 0}, {8*h + 12*m, 12 * m, 0}},
		"is set ahead twice":   {{0, 0, 0}, {4*m + s, s, 4 * m}, {8*m + 2*s, 2 * s, 8 * m}, {8*m + m, m, 8 * m}},
		"is set back":          {{0, 0, 0}, {-h, s, 0}, {s - h, 2 * s, 0}},
		"is set back too far":  {{0, 0, 0}, {h + s, s, h}, {2*s - h, 2 * s, 0}, {3*s - h, 3 * s, 0}},
		"is set back in parts": {{0, 0, 0}, {h + s, s, h}, {2*s + h/2, 2 * s, h / 2}},
	} {
		var w wallWatch
		begin := time.Unix(1e9, 0)
		for i, l := range looks {
			if got := w.look(begin.Add(l.wall), l.passed); got != l.ahead {
				t.Errorf("%s, look %d: ahead %s, want %s", name, i, got, l.ahead)
			}
		}
	}
}

func TestWrongStamps(t *testing.T) {
	for _, c := range []struct {
		name     string
		stamps   []int64 // in seconds, from message 1 on
		now      int64
		from, to uint64
		ahead    int64
	}{
		{"none", []int64{1, 2, 3, 100, 101}, 101, 0, 0, 0},
		{"in the middle", []int64{1, 2, 3603, 3604, 5, 6}, 7, 3, 4, 3599},
		{"the last ones", []int64{1, 2, 3603, 3604}, 5, 3, 4, 3599},
		{"for longer than it was ahead", []int64{0, 3660, 4500, 5400, 6300, 2800}, 2801, 2, 5, 3500},
		{"since the beginning", []int64{3601, 3602, 3}, 4, 0, 0, 0},
	} {
		from, to, ahead := wrongStamps(1, uint64(len(c.stamps)), c.now*1000, func(n uint64) (int64, error) { return c.stamps[n-1] * 1000, nil })
		if from != c.from || to != c.to || ahead != c.ahead*1000 {
			t.Errorf("%s: %d to %d, %d ms ahead; want %d to %d, %d s", c.name, from, to, ahead, c.from, c.to, c.ahead)
		}
	}
	if _, to, _ := wrongStamps(1, 3, 0, func(uint64) (int64, error) { return 0, errors.New("no such message") }); to != 0 {
		t.Errorf("to %d of a stream that cannot be read", to)
	}
}

// While the wall clock was set ahead and is not believed no tick goes into the
// stream, readiness says so, and events count. Set back, time goes on.
func TestClockSetAhead(t *testing.T) {
	c := config.Default()
	c.Data, c.IdleTick = t.TempDir(), 10*time.Millisecond
	s := openService(t, c)
	var ahead atomic.Int64
	looks, read := make(chan struct{}), realClock()
	s.clock.read = func() (time.Time, time.Duration) {
		select {
		case looks <- struct{}{}:
		case <-s.stopping:
		}
		wall, passed := read()
		return wall.Add(time.Duration(ahead.Load())), passed
	}
	s.Start()
	defer func() {
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	post := func(id int) {
		t.Helper()
		line := fmt.Sprintf(`{"id":%d,"time":%d,"type":"play","user_id":"u","watch_ms":1}`, id, time.Now().UnixMilli())
		at, err := s.broker.Append(t.Context(), []byte(line))
		if err == nil {
			err = s.WaitFor(t.Context(), at)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	last := func() uint64 {
		t.Helper()
		info, err := s.broker.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return info.Last
	}
	ticks := func() { // until there is one
		for before := last(); last() == before; {
			<-looks
		}
	}
	post(1)
	ticks()
	ahead.Store(int64(24 * time.Hour))
	<-looks
	<-looks // the clock was looked at
	held := last()
	for range 20 {
		<-looks
	}
	if now := last(); now != held {
		t.Errorf("%d ticks while the clock is not believed", now-held)
	}
	if told := strings.Join(s.Warnings(), "; "); !strings.Contains(told, "the clock was set 24h0m0s ahead") {
		t.Errorf("warnings %q", told)
	}
	post(2)
	ahead.Store(0)
	<-looks
	<-looks
	ticks()
	if told := s.Warnings(); len(told) > 0 {
		t.Errorf("warnings %q", told)
	}
	if l := s.Ledger().Total; l.Verdicts[stream.Counted] != 2 {
		t.Errorf("ledger %+v", l)
	}
}

// A watermark that is ahead stands still if what lets time go on does not move it, and is
// told of once.
func TestWatermarkAhead(t *testing.T) {
	const s, m, h = time.Second, time.Minute, time.Hour
	c := config.Default()
	c.Data = t.TempDir()
	service := openService(t, c)
	defer func() {
		if err := service.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	for _, tt := range []struct {
		name                string
		ahead, moved, event time.Duration // the last two are how long ago
		want                []string      // of how it is told
	}{
		{"little", 30 * s, 10 * s, s, nil},
		{"goes on", 2 * m, s, s, nil},
		{"goes on once a minute", 2 * m, 40 * s, 30 * h, nil},
		{"stands", 2 * m, 10 * s, s, []string{"no second closes"}},
		{"stands for long", 2 * m, 2 * m, 30 * h, []string{"no second closes"}},
		{"above lateness", 20 * m, 10 * s, s, []string{"events of now are late"}},
	} {
		var log strings.Builder
		service.log = zerolog.New(&log)
		service.clock.still.Store(false)
		service.clock.late.Store(false)
		now, p := time.Now(), &service.lane.progress
		moved := now.Add(-tt.moved)
		p.ready.Store(true)
		p.timed.Store(true)
		p.watermark.Store(now.Add(tt.ahead).UnixMilli())
		p.moved.Store(&moved)
		p.lastEvent.Store(now.Add(-tt.event).UnixMilli())
		service.watchClock(t.Context(), 0)
		for where, told := range map[string][]string{"readiness": service.Warnings(), "the log": strings.FieldsFunc(log.String(), func(r rune) bool { return r == '\n' })} {
			if !slices.EqualFunc(told, tt.want, strings.Contains) {
				t.Errorf("%s: %s has %q, want %q", tt.name, where, told, tt.want)
			}
		}
	}
}

// Where the clock was set back the next tick is due at once: time goes on from there.
func TestClockSetBack(t *testing.T) {
	now := time.Now()
	s := &Service{engine: &engine{lane: &lane{}, config: config.Default()}}
	for back, want := range map[time.Duration]time.Time{-time.Second: now.Add(s.config.IdleTick - time.Second), time.Hour: now} {
		p := &s.lane.progress
		p.lastEvent.Store(now.UnixMilli())
		p.lastMove.Store(now.Add(back).UnixMilli())
		if got := s.nextTick(now); got.Sub(want).Abs() > time.Millisecond {
			t.Errorf("set back by %s: the next tick is due %s from now, want %s", back, got.Sub(now), want.Sub(now))
		}
	}
}
