package send

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/stream"
)

// await waits until the ledger shows what was sent and prints by how much it
// grew.
func (s *sending) await(ctx context.Context, before Ledger) error {
	wait := s.Wait
	if wait == 0 {
		wait = 30 * time.Second
	}
	var now Ledger
	pause, moved, seen := 20*time.Millisecond, time.Now(), int64(-1)
	for {
		status, err := s.Service.Ledger(ctx)
		if err != nil {
			return err
		}
		now = status.Total
		if now.Received-before.Received >= s.sent {
			break
		}
		if now.Received != seen {
			seen, moved = now.Received, time.Now()
		}
		if time.Since(moved) > wait {
			fmt.Fprintf(s.Log, "the ledger shows %d of the %d events sent and has not moved for %s: they are in the stream and will be read\n",
				now.Received-before.Received, s.sent, wait)
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
			pause = min(2*pause, time.Second)
		}
	}
	if err := printLedger(s.Out, before, now); err != nil {
		return err
	}
	s.late, s.future = now.Late-before.Late, now.Future-before.Future
	if s.late > 0 {
		fmt.Fprintf(s.Out, "%d events were late: the service had seen events newer by more than its lateness, and time does not go back (what is sent again so late is late too). %s\n", s.late, s.sooner())
	}
	if s.future > 0 {
		fmt.Fprintf(s.Out, "%d events were of the future: more than %.0f minutes ahead of the service's clock. Look at the clock and the zone that their times are from\n", s.future, stream.MaxAhead.Minutes())
	}
	return nil
}

// sooner says how events are sent before it is too late for them.
func (s *sending) sooner() string {
	order := ""
	if !s.Sort {
		order = " and in the order of time (--sort)"
	}
	if s.ShiftToNow {
		return "With --shift-to-now the last event is now, and the others as long before as in the file: send what spans more than the lateness to an empty --data" + order + ", or raise lateness"
	}
	return "Send old events to an empty --data" + order + ", or as events of now (--shift-to-now)"
}

func printLedger(w io.Writer, before, after Ledger) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	for _, row := range []struct {
		word string
		n    int64
	}{
		{"received", after.Received - before.Received},
		{"counted", after.Counted - before.Counted},
		{"duplicate", after.Duplicate - before.Duplicate},
		{"late", after.Late - before.Late},
		{"quarantined", after.Quarantined - before.Quarantined},
		{"future", after.Future - before.Future},
		{"filtered", after.Filtered - before.Filtered},
	} {
		fmt.Fprintf(t, "%s\t%d\t\n", row.word, row.n)
	}
	return t.Flush()
}

// report says what was not taken.
func (s *sending) report(w io.Writer) error {
	list := func(n, errs int64, one, many string, first []string) {
		if n == 0 {
			return
		}
		fmt.Fprintf(w, "%s:\n  %s\n", spelling.Number(n, one, many), strings.Join(first, "\n  "))
		if more := errs - int64(len(first)); more > 0 {
			fmt.Fprintf(w, "  and %d more\n", more)
		}
	}
	list(s.quarantined, s.quarantined, "event was quarantined", "events were quarantined", s.rejected)
	list(s.rows, s.rowErrors, "row was passed over", "rows were passed over", s.badRows)
	if s.NATS != "" && s.Service == nil {
		fmt.Fprintf(w, "%d events were acknowledged by the stream; add --url to see the ledger\n", s.sent)
	}
	var lost []string
	if s.quarantined > 0 {
		lost = append(lost, spelling.Number(s.quarantined, "event", "events")+" quarantined")
	}
	if s.rows > 0 {
		lost = append(lost, spelling.Number(s.rows, "row", "rows")+" passed over")
	}
	// A few late events are the way of the world; most are a mistake.
	if 2*s.late > s.sent {
		lost = append(lost, fmt.Sprintf("%d of %d events late", s.late, s.sent))
	}
	if 2*s.future > s.sent {
		lost = append(lost, fmt.Sprintf("%d of %d events of the future", s.future, s.sent))
	}
	if len(lost) > 0 {
		return fmt.Errorf("%w: %s", ErrRejected, strings.Join(lost, ", "))
	}
	return nil
}
