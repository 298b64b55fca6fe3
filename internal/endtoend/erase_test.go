package endtoend

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// Who is erased is known to nobody from the next second on, also after a crash; an
// anonymous id that is the user's leads to them until then, and is erased with them.
func TestErase(t *testing.T) {
	t.Parallel()
	s := serving(t, "checkpoint_interval: 50ms\n")
	begin := time.Now().Add(-time.Hour).Truncate(time.Second)
	s.post(t,
		event("a", begin, "page_view", "user_id", nil, "anonymous_id", "cookie"),
		event("b", begin.Add(time.Second), "identify", "user_id", "ann", "anonymous_id", "cookie"),
		event("c", begin.Add(2*time.Second), "page_view", "user_id", "ben"),
	)
	s.close(t, begin.Add(10*time.Second))
	status := func(id string) int {
		r, err := s.do("GET", "/api/v1/users/"+id, "")
		if err != nil {
			t.Fatal(err)
		}
		return r.code
	}
	eventually(t, "users", func() bool { return status("ben") == http.StatusOK }, func() any { return status("ben") })
	var who struct {
		UserID     string `json:"user_id"`
		Identities []string
	}
	s.get(t, "/api/v1/users/cookie", &who)
	if who.UserID != "ann" || fmt.Sprint(who.Identities) != "[cookie]" {
		t.Fatalf("cookie is %+v, want ann", who)
	}

	r, err := s.do("DELETE", "/api/v1/users/cookie", "")
	if err != nil || r.code != http.StatusAccepted {
		t.Fatalf("erase: %+v, %v", r, err)
	}
	var receipt struct {
		UserID   string `json:"user_id"`
		Sequence uint64
		Gone     struct{ Events, Signals time.Time }
	}
	if err := json.Unmarshal(r.data, &receipt); err != nil || receipt.UserID != "ann" || receipt.Sequence == 0 || !receipt.Gone.Events.After(time.Now()) || !receipt.Gone.Signals.After(receipt.Gone.Events) {
		t.Errorf("receipt %s, %v", r.body, err)
	}
	s.close(t, begin.Add(20*time.Second))
	gone := func() {
		t.Helper()
		for _, id := range []string{"ann", "cookie"} {
			eventually(t, id+" to be gone", func() bool { return status(id) == http.StatusNotFound }, func() any { return status(id) })
		}
		if got := status("ben"); got != http.StatusOK {
			t.Errorf("ben: %d", got)
		}
	}
	gone()
	if a := s.kpi(t, "wau", "window", "day"); a.Samples[0].Numerator != 1 {
		t.Errorf("wau is %d, want 1", a.Samples[0].Numerator)
	}
	if r, err := s.do("DELETE", "/api/v1/users/ann", ""); err != nil || r.code != http.StatusNotFound {
		t.Errorf("erase again: %+v, %v", r, err)
	}
	s.awaitEpochs(t)
	s.kill(t)
	s.start(t)
	gone()
}
