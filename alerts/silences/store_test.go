package silences

import (
	"context"
	"maps"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/alertmanager/silence/silencepb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

type box map[string][]byte

func (b box) Put(entries map[string][]byte) error { maps.Copy(b, entries); return nil }

func (b box) Delete(ids ...string) error {
	for _, id := range ids {
		delete(b, id)
	}
	return nil
}

func open(t *testing.T, b box) *Store {
	t.Helper()
	s, err := New(b)
	if err != nil {
		t.Fatal(err)
	}
	for key, data := range maps.Clone(b) {
		if err := s.Restore(key, data); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	return s
}

// A silence goes on after a restart, says when it begins and ends, and is let go of five
// days later.
func TestStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := box{}
		s, begin := open(t, b), time.Now()
		one := &silencepb.Silence{
			StartsAt: timestamppb.New(begin.Add(time.Minute)), EndsAt: timestamppb.New(begin.Add(time.Hour)), CreatedBy: "a", Comment: "b",
			MatcherSets: []*silencepb.MatcherSet{{Matchers: []*silencepb.Matcher{{Type: silencepb.Matcher_REGEXP, Name: "channel", Pattern: "dou.*"}}}},
		}
		if err := s.Set(context.Background(), one); err != nil {
			t.Fatal(err)
		}
		if err := s.Flush(); err != nil || len(b) != 1 {
			t.Fatalf("kept %v, %v", b, err)
		}
		labels := map[string]string{"channel": "douyin"}
		for _, c := range []struct {
			at       time.Duration
			silenced bool
			next     time.Duration // from the beginning, 0 for never
		}{
			{0, false, time.Minute},
			{time.Minute, true, time.Hour + time.Millisecond},
			{time.Hour, true, time.Hour + time.Millisecond},
			{time.Hour + time.Millisecond, false, 0},
		} {
			time.Sleep(time.Until(begin.Add(c.at)))
			s = open(t, b)
			if by := s.By(labels); len(by) > 0 != c.silenced || s.By(map[string]string{"channel": "other"}) != nil {
				t.Errorf("after %s: silenced by %v", c.at, by)
			}
			next := s.Next(time.Now())
			if want := begin.Add(c.next); c.next == 0 && !next.IsZero() || c.next > 0 && !next.Equal(want) {
				t.Errorf("after %s: next %s, want %s", c.at, next, want)
			}
		}
		time.Sleep(retention)
		if open(t, b); len(b) != 0 {
			t.Errorf("kept %v", b)
		}
		if err := s.Restore(Prefix+"x", []byte("damaged")); err == nil {
			t.Error("what is damaged is taken")
		}
	})
}

// What is remembered of alerts is bounded, however many were asked for, and those that are
// silenced stay so.
func TestManyAlerts(t *testing.T) {
	s := open(t, box{})
	if err := s.Set(context.Background(), &silencepb.Silence{
		StartsAt: timestamppb.Now(), EndsAt: timestamppb.New(time.Now().Add(time.Hour)), CreatedBy: "a", Comment: "b",
		MatcherSets: []*silencepb.MatcherSet{{Matchers: []*silencepb.Matcher{{Type: silencepb.Matcher_EQUAL, Name: "channel", Pattern: "a"}}}},
	}); err != nil {
		t.Fatal(err)
	}
	for i := range mostAsked + 10 {
		s.By(map[string]string{"content": strconv.Itoa(i)})
	}
	if n := len(s.asked); n > mostAsked {
		t.Errorf("%d alerts are remembered", n)
	}
	if by := s.By(map[string]string{"channel": "a"}); len(by) != 1 {
		t.Errorf("silenced by %v", by)
	}
}
