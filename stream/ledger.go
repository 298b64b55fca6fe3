package stream

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A Ledger accounts for every event received: each stands in exactly one
// column, so that the columns add up to what was received.
type Ledger struct {
	Verdicts [verdicts]int64
	// Reasons splits the quarantined.
	Reasons [reasons]int64
}

// Add enters one event; the reason counts for quarantined ones.
func (l *Ledger) Add(v Verdict, r Reason) {
	l.Verdicts[v]++
	if v == Quarantined {
		l.Reasons[r]++
	}
}

// Received is the sum of all columns.
func (l *Ledger) Received() int64 {
	var sum int64
	for _, n := range l.Verdicts {
		sum += n
	}
	return sum
}

// Words are the columns by their words, "received" among them.
func (l *Ledger) Words() map[string]int64 {
	words := map[string]int64{"received": l.Received()}
	for v, n := range l.Verdicts {
		words[Verdict(v).String()] = n
	}
	return words
}

// ReasonWords are the quarantined by the words of their reasons, without those
// that did not occur.
func (l *Ledger) ReasonWords() map[string]int64 {
	words := map[string]int64{}
	for r, n := range l.Reasons {
		if n != 0 {
			words[Reason(r).String()] = n
		}
	}
	return words
}

// String lists the columns in the order of the verdicts.
func (l *Ledger) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "received %d", l.Received())
	for v, n := range l.Verdicts {
		fmt.Fprintf(&s, " %s %d", Verdict(v), n)
	}
	return s.String()
}

// ledgerJSON is the ledger as it is kept and shown, by words, so that a
// verdict or reason added later moves no number to another column.
type ledgerJSON struct {
	Received    int64            `json:"received"`
	Counted     int64            `json:"counted"`
	Duplicate   int64            `json:"duplicate"`
	Late        int64            `json:"late"`
	Quarantined int64            `json:"quarantined"`
	Future      int64            `json:"future"`
	Filtered    int64            `json:"filtered"`
	Reasons     map[string]int64 `json:"reasons,omitempty"`
}

// MarshalJSON writes the columns, their sum, and the reasons that occurred.
func (l Ledger) MarshalJSON() ([]byte, error) {
	return json.Marshal(ledgerJSON{
		Received: l.Received(), Counted: l.Verdicts[Counted], Duplicate: l.Verdicts[Duplicate],
		Late: l.Verdicts[Late], Quarantined: l.Verdicts[Quarantined], Future: l.Verdicts[Future],
		Filtered: l.Verdicts[Filtered], Reasons: l.ReasonWords(),
	})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (l *Ledger) UnmarshalJSON(data []byte) error {
	var in ledgerJSON
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*l = Ledger{}
	l.Verdicts[Counted], l.Verdicts[Duplicate], l.Verdicts[Late] = in.Counted, in.Duplicate, in.Late
	l.Verdicts[Quarantined], l.Verdicts[Future], l.Verdicts[Filtered] = in.Quarantined, in.Future, in.Filtered
	if got := l.Received(); got != in.Received {
		return fmt.Errorf("read ledger: received %d is not the sum of the columns, %d", in.Received, got)
	}
	for r, word := range reasonWords {
		l.Reasons[r] = in.Reasons[word]
	}
	return nil
}
