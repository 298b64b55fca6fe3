package send

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// journal notes when how many events are published.
type journal struct {
	began time.Time
	posts []post
}

type post struct {
	After  time.Duration
	Events int
}

func (j *journal) Publish(_ context.Context, batch []byte, n int) (Answer, error) {
	j.posts = append(j.posts, post{time.Since(j.began), bytes.Count(batch, []byte("\n"))})
	return Answer{Accepted: int64(n)}, nil
}

func (*journal) Close(context.Context, int64) error { return nil }

func TestBatches(t *testing.T) {
	for _, c := range []struct {
		name         string
		rate         int
		burst, later int           // events at once, and after a pause
		pause        time.Duration // until the input goes on
		want         []post
	}{
		{"a batch leaves when it is full", 0, 4500, 0, 0, []post{{0, 2000}, {0, 2000}, {0, 500}}},
		{"events linger when the input pauses", 0, 3, 2, 250 * time.Millisecond,
			[]post{{linger, 3}, {250 * time.Millisecond, 2}}},
		{"a rate spreads them", 100, 25, 0, 0, []post{{0, 10}, {linger, 10}, {150 * time.Millisecond, 5}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				to := &journal{began: time.Now()}
				queue := make(chan Event)
				go func() {
					defer close(queue)
					for range c.burst {
						queue <- Event{Line: []byte("{}")}
					}
					time.Sleep(c.pause)
					for range c.later {
						queue <- Event{Line: []byte("{}")}
					}
				}()
				s := &sending{Options: Options{Rate: c.rate}}
				if err := s.batches(t.Context(), to, queue); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, to.posts); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}
