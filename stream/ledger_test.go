package stream

import (
	"encoding/json"
	"testing"
)

func TestLedger(t *testing.T) {
	var sum, back Ledger
	for range 2 {
		sum.Add(Counted, ReasonNone)
		sum.Add(Quarantined, ReasonNotJSON)
		sum.Add(Late, ReasonNone)
	}
	const want = `{"received":6,"counted":2,"duplicate":0,"late":2,"quarantined":2,"future":0,"filtered":0,"reasons":{"not_json":2}}`
	got, err := json.Marshal(sum)
	if string(got) != want || err != nil {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	if err := json.Unmarshal(got, &back); err != nil || back != sum {
		t.Errorf("read back %v, %v, want %v", &back, err, &sum)
	}
	if got, want := sum.String(), "received 6 counted 2 quarantined 2 future 0 late 2 duplicate 0 filtered 0"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if json.Unmarshal([]byte(`{"received":1}`), &back) == nil {
		t.Error("a ledger whose columns do not add up was read")
	}
}

func TestHashes(t *testing.T) {
	k := HashKey{3, 4}
	seen := map[Key]bool{}
	for _, user := range []uint64{0, k.User([]byte("a")), k.User([]byte("b")), k.Anonymous([]byte("a"))} {
		for _, id := range []string{"", "a", "b", "ab"} {
			seen[k.Event(user, []byte(id))] = true
		}
	}
	if len(seen) != 16 || k.Text(nil) == 0 || k.User(nil) == 0 || k.Text([]byte("a")) == (HashKey{5, 4}).Text([]byte("a")) {
		t.Errorf("%d pairs of 16 differ", len(seen))
	}
}
