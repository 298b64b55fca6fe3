package send

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// settle waits until the ledger shows what was sent and prints by how much it
// grew.
func (s *sending) settle(ctx context.Context, before Ledger) error {
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
	if late := now.Late - before.Late; late > 0 {
		fmt.Fprintf(s.Out, "%d events were late: they are older than the service's watermark less its lateness. Send old events to an empty --data, in the order of time (--sort)\n", late)
	}
	return nil
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
	list := func(n, errs int64, what string, first []string) {
		if n == 0 {
			return
		}
		fmt.Fprintf(w, "%d %s:\n  %s\n", n, what, strings.Join(first, "\n  "))
		if more := errs - int64(len(first)); more > 0 {
			fmt.Fprintf(w, "  and %d more\n", more)
		}
	}
	list(s.quarantined, s.quarantined, "events were quarantined", s.rejected)
	list(s.rows, s.rowErrors, "rows were passed over", s.badRows)
	if s.NATS != "" && s.Service == nil {
		fmt.Fprintf(w, "%d events were acknowledged by the stream; add --url to see the ledger\n", s.sent)
	}
	if s.quarantined+s.rows > 0 {
		return fmt.Errorf("%w: %d events quarantined, %d rows passed over", ErrRejected, s.quarantined, s.rows)
	}
	return nil
}
