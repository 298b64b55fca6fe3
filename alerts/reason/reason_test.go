package reason

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
)

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		got  Reason
		want string
	}{
		{HoldsNot.Alone(), "the condition does not hold"},
		{PartlyJudged.Of(Args{"count": 2, "of": 5}), "the condition does not hold; 2 of 5 series cannot be judged"},
		{Fires.Of(Args{"count": 1}), "1 of its series fires"},
		{Fires.Of(Args{"count": 12}), "12 of its series fire"},
		{Backlog.Of(Args{"time": "T", "length": "2m0s", "count": uint64(1)}), "judged up to T, 2m0s behind the clock: 1 message waits in the stream"},
		{Backlog.Of(Args{"time": "T", "length": "2m0s", "count": uint64(3)}), "judged up to T, 2m0s behind the clock: 3 messages wait in the stream"},
		{Said.Of(Args{"error": "no {status} in {error}"}), "no {status} in {error}"},
	} {
		if tt.got.Text != tt.want || tt.got.Error() != tt.want {
			t.Errorf("%s: got %q, want %q", tt.got.Code, tt.got.Text, tt.want)
		}
	}
}

// What is told by a code needs no words of ours.
func TestJSON(t *testing.T) {
	got, err := json.Marshal(Answered.Of(Args{"status": 404}))
	if want := `{"code":"answered","args":{"status":404}}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	got, err = json.Marshal(Dropped.Alone())
	if want := `{"code":"dropped","args":{}}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}

func TestOfError(t *testing.T) {
	ours := NoURL.Alone()
	for _, tt := range []struct {
		err  error
		want string
		is   bool
	}{
		{ours, "no_url: the address is no URL", true},
		{fmt.Errorf("send: %w", ours), "no_url: the address is no URL", true},
		{errors.New("EOF"), "said: EOF", false},
		{Said.Of(Args{"error": "the address is no URL"}), "said: the address is no URL", false},
	} {
		got := Of(tt.err)
		if len(got) != 1 || got[0].Code+": "+got[0].Text != tt.want || NoURL.Is(tt.err) != tt.is {
			t.Errorf("%v: got %v, want %s; is NoURL: %t, want %t", tt.err, got, tt.want, NoURL.Is(tt.err), tt.is)
		}
	}
	if NoURL.Is(nil) {
		t.Error("nothing is a reason")
	}
}

func TestText(t *testing.T) {
	holds, silent := HoldsNot.Alone(), Silent.Of(Args{"length": "3m0s"})
	answered := Answered.Of(Args{"status": 404})
	for _, tt := range []struct {
		reasons []Reason
		want    string
	}{
		{nil, ""},
		{[]Reason{holds}, "the condition does not hold"},
		{[]Reason{holds, silent}, "the condition does not hold; no event has been counted for 3m0s"},
		{[]Reason{GivenUp.Of(Args{"days": 7}), answered}, "given up after 7 days: answered 404"},
		{[]Reason{Superseded.Alone()}, "superseded by a newer state"},
		{[]Reason{GivenUp.Of(Args{"days": 7}), Robot.Of(Args{"robot": "WeCom", "status": 93000}), WrongURL.Alone()}, "given up after 7 days: WeCom answered 93000: correct the url"},
		{[]Reason{Superseded.Alone(), answered}, "superseded by a newer state: answered 404"},
		{[]Reason{answered, Gone.Of(Args{"receiver": "ops"})}, "answered 404; receiver ops is no longer configured: configure it again and resend this, or drop it"},
		{[]Reason{Paused.Of(Args{"time": "T", "length": "2m0s"}), Memory.Of(Args{"budget": 64, "used": 70})},
			"judged up to T, 2m0s behind the clock: memory_budget of 64 MiB is spent (70 MiB are in use): raise it, or shorten lateness and windows"},
	} {
		if got := Text(tt.reasons); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
