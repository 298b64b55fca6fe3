package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/tidewatch/tidewatch/internal/send"
)

// people are the users of throng, who come on some of the days that begin with
// the tenth before today, in UTC. On each it is a share of them, in an order that is
// not that in which they came first, and the smaller of two shares is part of the
// larger.
type people struct {
	n      int
	stride int // without a common divisor with n: in steps of it all are visited
	begin  time.Time
	to     *send.Stream
	sent   int64
	buf    []byte
}

// visits is for how long they come on a day, of event time.
const visits = 1000 * time.Second

func newPeople(n int) *people {
	p := &people{n: n, stride: max(1, int(0.618*float64(n))), begin: time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -10)}
	for divisor(p.stride, n) != 1 {
		p.stride++
	}
	return p
}

// user is the one who comes as number i of a day, but for the first.
func (p *people) user(i int) int { return i * p.stride % p.n }

// divisor is the greatest that both have.
func divisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// day is when one begins.
func (p *people) day(i int) time.Time { return p.begin.AddDate(0, 0, i) }

// date is the same, as queries have it.
func (p *people) date(i int) string { return p.day(i).Format(time.DateOnly) }

// spend sends an event of each of a share of the users, at noon of a day, waits
// until all are counted, and tells what one cost in core-µs.
func (p *people) spend(ctx context.Context, s *service, day int, share float64) (float64, error) {
	from, err := s.read(ctx)
	if err != nil {
		return 0, err
	}
	noon, count := p.day(day).Add(12*time.Hour), int(share*float64(p.n))
	for i := 0; i < count; {
		n := 0
		for p.buf = p.buf[:0]; n < 4000 && i < count; n++ {
			user := i
			if day > 0 {
				user = p.user(i)
			}
			p.add(user, noon.Add(time.Duration(float64(i)/float64(p.n)*float64(visits))))
			i++
		}
		if err := p.publish(ctx, n); err != nil {
			return 0, err
		}
	}
	to, err := s.reach(ctx, p.sent)
	if err != nil {
		return 0, err
	}
	ledger, err := s.Ledger(ctx)
	if err == nil && ledger.Total.Counted != p.sent {
		err = fmt.Errorf("of %d events %d are counted: %+v", p.sent, ledger.Total.Counted, ledger.Total)
	}
	return perEvent(from, to), err
}

// walk has users of the first 1 % come from one time to another, so many times as fast as
// time goes.
func (p *people) walk(ctx context.Context, from, to time.Time, speed int) error {
	const every = 20 * time.Millisecond
	began := time.Now()
	for at := from; at.Before(to); {
		if err := pause(ctx, every-time.Since(began)%every); err != nil {
			return err
		}
		if at = from.Add(time.Since(began) * time.Duration(speed)); at.After(to) {
			at = to
		}
		const n = 20
		p.buf = p.buf[:0]
		for range n {
			p.add(p.user(int(p.sent)%max(p.n/100, 1)), at)
		}
		if err := p.publish(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// add writes an event. The number of events before it is its id.
func (p *people) add(user int, at time.Time) {
	b := append(p.buf, `{"id":"`...)
	b = strconv.AppendInt(b, p.sent, 10)
	b = append(b, `","time":`...)
	b = strconv.AppendInt(b, at.UnixMilli(), 10)
	b = append(b, `,"type":"play","user_id":"u`...)
	b = strconv.AppendInt(b, int64(user), 10)
	b = append(b, `","channel":"c`...)
	b = strconv.AppendInt(b, int64(user%8), 10)
	b = append(b, `","region":"r`...)
	b = strconv.AppendInt(b, int64(user/8%10), 10)
	b = append(b, `","device":"d`...)
	b = strconv.AppendInt(b, int64(user/80%3), 10)
	p.buf = append(b, "\",\"watch_ms\":4000}\n"...)
	p.sent++
}

func (p *people) publish(ctx context.Context, n int) error {
	_, err := p.to.Publish(ctx, p.buf, n)
	return err
}

// close ends the last day, and checks what the service says of the first two.
func (p *people) close(ctx context.Context, s *service) error {
	if err := p.to.Close(ctx, p.day(8).Add(2*time.Second).UnixMilli()); err != nil {
		return err
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	for day := range 2 {
		if got, err := s.active(ctx, p.date(day), p.date(day)); err != nil || got != p.n {
			return fmt.Errorf("active on %s are %d, %w, want %d", p.date(day), got, err, p.n)
		}
	}
	return nil
}

// questions are what is asked about them: days that are over, ranges of days, and
// how many were active on some and not on others, or are at risk.
func (p *people) questions(wide bool) []question {
	by := ""
	if wide {
		by = "&by=region"
	}
	count := func(query string) question { return question{"count", "/api/v1/users/count?" + query} }
	ofSegment := func(query string) question { return question{"segment", "/api/v1/users/count?" + query} }
	counts := []question{
		count("active=" + p.date(4) + "&not_active=" + p.date(5) + ".." + p.date(7)),
		count("active=" + p.date(0) + ".." + p.date(3)),
		count("active=" + p.date(1) + "&not_active=" + p.date(4)),
		ofSegment("segment=at_risk&active=" + p.date(1)),
	}
	var out []question
	for i, name := range activity {
		path, what := "/api/v1/kpis/"+name, "?window=day"+by
		out = append(out, question{"day", path + what + "&at=" + p.date(i%4)}, question{"day", path + what + "&at=" + p.date(7)},
			question{"range", path + "/range" + what + "&from=" + p.date(0) + "&to=" + p.date(7)}, counts[i%len(counts)])
	}
	return out
}
