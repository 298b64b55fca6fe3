package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/roster"
)

// theatre is a service that keeps who was active, by channel too.
type theatre struct {
	*Replica
	config *config.Config
	log    *Log
}

func openTheatre(t testing.TB, budget int) *theatre {
	t.Helper()
	h := &theatre{config: config.Default(), log: NewLog()}
	h.config.Data, h.config.Location = t.TempDir(), time.UTC
	definitions := filepath.Join(h.config.Data, "kpis.yaml")
	if err := os.WriteFile(definitions, fmt.Appendf(nil, `
keep: []
kpis:
  - {name: present, distinct: {field: user_id, where: 'type == "play"'}, by: [channel], windows: [day], budget: %d}
  - {name: away, at_risk: {where: 'type == "play"'}, windows: [day]}
`, budget), 0o600); err != nil {
		t.Fatal(err)
	}
	h.config.KPIs = []string{definitions}
	h.open(t)
	t.Cleanup(func() { _ = h.Crash() })
	return h
}

func (h *theatre) open(t testing.TB) {
	t.Helper()
	var err error
	if h.Replica, err = OpenReplica(h.config, h.log, ReplicaOptions{}); err != nil {
		t.Fatal(err)
	}
}

// restart goes on from an epoch.
func (h *theatre) restart(t *testing.T, before func()) {
	t.Helper()
	if err := h.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	if err := h.Crash(); err != nil {
		t.Fatal(err)
	}
	before()
	h.open(t)
}

// play has a user play something, so many days behind noon.
func (h *theatre) play(user, channel string, days int) {
	at := noon.AddDate(0, 0, days).UnixMilli()
	h.log.Append(at, fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":%q,"channel":%q}`, len(h.log.messages), at, user, channel))
}

// tick closes all that is before an hour after noon, so many days later.
func (h *theatre) tick(days int) {
	at := noon.AddDate(0, 0, days).Add(time.Hour).UnixMilli()
	h.log.Tick(at, stream.Tick{To: at})
}

// count is what a question is answered: how many, or an error.
func (h *theatre) count(t *testing.T, ask string) string {
	t.Helper()
	if err := h.Read(); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/api/v1/users/count?"+ask, nil)
	r.Host = "localhost"
	h.Handler().ServeHTTP(w, r)
	var a struct {
		Error string
		Data  struct{ Count int }
	}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%s: %v: %s", ask, err, w.Body)
	}
	if a.Error != "" {
		return fmt.Sprint(w.Code, " ", strings.ReplaceAll(a.Error, h.config.Data, "DATA"))
	}
	return fmt.Sprint(a.Data.Count)
}

// TestLostRoster: a day whose roster is lost is an error that names it, not a day on
// which nobody came.
func TestLostRoster(t *testing.T) {
	h := openTheatre(t, 10)
	for _, day := range []int{0, 1, 3} {
		h.play("ann", "web", day)
	}
	h.tick(3)
	if got := h.count(t, "active=2026-11-22..2026-11-24"); got != "1" {
		t.Fatalf("got %s, want 1", got)
	}
	h.restart(t, func() {
		if err := os.RemoveAll(filepath.Join(h.config.Data, "state", "history")); err != nil {
			t.Fatal(err)
		}
	})
	const lost = " is not known: what DATA/state/history had of it is missing: put a copy of that folder back, or wait until it is older than what is kept"
	for _, c := range []struct{ ask, want string }{
		{"active=2026-11-25", "1"}, // not sealed
		{"active=2026-11-24", "0"},
		{"active=2026-11-23", "404 who was active on 2026-11-23" + lost},
		{"active=2026-11-25&not_active=2026-11-22..2026-11-24", "404 who was active on 2026-11-22" + lost},
		{"active=2026-11-22&channel=web", "404 who was active on 2026-11-22" + lost},
		{"active=2026-11-22&channel=app", "0"},
	} {
		if got := h.count(t, c.ask); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.ask, got, c.want)
		}
	}
}

// TestRostersAreKept: the oldest day is roster.Days before today, or as old as blocks of
// days are kept.
func TestRostersAreKept(t *testing.T) {
	day := func(days int) string { return "active=" + noon.AddDate(0, 0, days).Format(time.DateOnly) }
	for _, c := range []struct {
		kept time.Duration // 0: by default
		days int
	}{{0, roster.Days}, {1000 * 24 * time.Hour, roster.Days}, {30 * 24 * time.Hour, 30}} {
		h := openTheatre(t, 10)
		h.restart(t, func() {
			if c.kept > 0 {
				h.config.Retention.History["day"] = c.kept
			}
		})
		for d := range c.days + 2 {
			h.play("ann", "web", d)
		}
		h.tick(c.days + 1)
		if got := h.count(t, day(1)); got != "1" {
			t.Errorf("%s: got %s, want 1", c.kept, got)
		}
		want := fmt.Sprintf("400 who was active is known of %d days that are over, from %s on: 2026-11-22 is before", c.days, noon.AddDate(0, 0, 1).Format(time.DateOnly))
		if got := h.count(t, day(0)); got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.kept, got, want)
		}
	}
}

// TestRosterBudget: what a question would read is known before it is read.
func TestRosterBudget(t *testing.T) {
	h := openTheatre(t, 10)
	h.play("ann", "web", 0)
	h.tick(300)
	for _, c := range []struct {
		users     int64
		ask, want string
	}{
		{30_000_000, "active=2026-11-22..2027-08-22", "1"},
		{30_000_000, "active=2026-11-22..2027-09-18", "422 who was active on 300 days takes up to 1072 MiB, more than 1024: ask for fewer days"},
		{30_000_000, "active=2026-11-22..2027-04-20&not_active=2027-04-21..2027-09-17", "422 who was active on 300 days takes up to 1072 MiB, more than 1024: ask for fewer days"},
		{28_000_000, "active=2026-11-22..2027-09-18", "1"},
	} {
		h.lane.users.Store(c.users)
		if got := h.count(t, c.ask); got != c.want {
			t.Errorf("%d users, %s:\n got %s\nwant %s", c.users, c.ask, got, c.want)
		}
	}
}

// TestRebuiltRosters: users of a computation that began anew are numbered anew, so that
// what was known of before is not mixed with them.
func TestRebuiltRosters(t *testing.T) {
	h := openTheatre(t, 10)
	for i, user := range []string{"ann", "ben", "ben", "ben"} {
		h.play(user, "web", i)
	}
	if got := h.count(t, "active=2026-11-22..2026-11-25"); got != "2" {
		t.Fatalf("got %s, want 2", got)
	}
	h.restart(t, func() {
		h.config.Lateness -= time.Minute
		h.log.Purge(1)
	})
	check := func(when string) {
		t.Helper()
		for _, c := range []struct{ ask, want string }{
			{"active=2026-11-24..2026-11-25", "1"},
			{"active=2026-11-22", "400 who was active is known from 2026-11-24 on, as a rebuild began with the day before: 2026-11-22 is not"},
			{"active=2026-11-25&not_active=2026-11-23", "400 who was active is known from 2026-11-24 on, as a rebuild began with the day before: 2026-11-23 is not"},
		} {
			if got := h.count(t, c.ask); got != c.want {
				t.Errorf("%s: %s:\n got %s\nwant %s", when, c.ask, got, c.want)
			}
		}
	}
	check("anew")
	h.restart(t, func() {})
	check("restored")
	c, err := h.newRollCall(nil)
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[int32]bool{20_779: false, 20_781: true} { // the 22nd and the 24th
		id, _ := h.lane.roster(c.rosters, day)
		if b, err := h.store.Block(id); (b != nil) != want || err != nil {
			t.Errorf("block %v: got %t, want %t; %v", id, b != nil, want, err)
		}
	}
}

// TestChannelBudget: what came when no more channels were told apart is not taken for
// nobody.
func TestChannelBudget(t *testing.T) {
	h := openTheatre(t, 2)
	for i, channel := range []string{"web", "app", "tv", "shop"} {
		h.play(fmt.Sprint("user", i), channel, 0)
	}
	h.play("last", "web", 1)
	for _, sealed := range []string{"open", "sealed"} {
		for _, c := range []struct{ channel, want string }{
			{"web", "1"},
			{"app", "1"},
			{"__other__", "2"},
			{"tv", `400 channel "tv" is not told apart: users are by the first 2 channels that came, all others are __other__`},
			{"none", `400 channel "none" is not told apart: users are by the first 2 channels that came, all others are __other__`},
		} {
			if got := h.count(t, "active=2026-11-22&channel="+url.QueryEscape(c.channel)); got != c.want {
				t.Errorf("%s: %s:\n got %s\nwant %s", sealed, c.channel, got, c.want)
			}
		}
		h.play("later", "web", 9)
	}
}

// TestCountsWhileConsuming: who asks while days pass, are sealed and go into history is
// told of each day that is over what is so, again after a start with other partitions.
func TestCountsWhileConsuming(t *testing.T) {
	const users, days = 300, 40
	there := func(user, day int) bool { return (7*user+3*day)%5 < 2 }
	c := config.Default()
	c.Data, c.Location, c.CheckpointInterval = t.TempDir(), time.UTC, 20*time.Millisecond
	first := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -days)
	date := func(day int) string { return first.AddDate(0, 0, day).Format(time.DateOnly) }
	ask := func(s *Service, from, to int) int {
		active, err := kpi.NewCalendar(c.Location).ParseDay(date(from))
		if err != nil {
			t.Error(err)
		}
		found, err := s.Count(t.Context(), api.UserQuery{Active: &api.Days{From: active, To: active + int32(to-from)}})
		if err != nil {
			t.Errorf("count days %d to %d: %v", from, to, err)
			return 0
		}
		return found.Count
	}
	want := func(from, to int) (n int) {
		for user := range users {
			for day := from; day <= to; day++ {
				if there(user, day) {
					n++
					break
				}
			}
		}
		return n
	}
	day := 0
	for _, c.Partitions = range []int{3, 2} {
		s := openService(t, c)
		s.Start()
		for end := day + days/2; day < end; day++ {
			var b bytes.Buffer
			for user := range users {
				if there(user, day) {
					fmt.Fprintf(&b, `{"id":"%d-%d","time":%d,"type":"play","user_id":"u%d","watch_ms":1}`+"\n", user, day, first.AddDate(0, 0, day).Add(time.Hour+time.Duration(user)*time.Second).UnixMilli(), user)
				}
			}
			last, err := s.broker.Append(t.Context(), b.Bytes())
			if err == nil && day%4 == 0 {
				err = s.WaitFor(t.Context(), last)
			}
			if err != nil {
				t.Fatal(err)
			}
			if over := day/4*4 - 1; over >= 0 { // what was waited for closed the days before
				from := max(0, over-day%7)
				if got, want := ask(s, from, over), want(from, over); got != want {
					t.Errorf("day %d: of %d to %d got %d, want %d", day, from, over, got, want)
				}
			}
		}
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
}
