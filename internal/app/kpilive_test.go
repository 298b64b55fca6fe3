package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestKPILive: a stream of windows goes on, after a drop, where its client was.
func TestKPILive(t *testing.T) {
	r := replicaPlaying(t, noon.Add(-3*time.Minute), noon.Add(-90*time.Second), noon, noon.Add(2*time.Second+500*time.Millisecond))
	server := httptest.NewServer(r.Handler())
	defer server.Close()
	// The watermark is half a second behind noon.
	events := func(last string, n int) (out []string) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/api/v1/kpis/plays/live?window=5m&by=total", nil)
		if err != nil {
			t.Fatal(err)
		}
		if last != "" {
			req.Header.Set("Last-Event-ID", last)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		kind, id := "", ""
		for lines := bufio.NewScanner(resp.Body); len(out) < n && lines.Scan(); {
			name, text, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				kind, id = text, ""
			case "id":
				id = text
			case "data":
				var a struct {
					End      time.Time
					Complete bool
					Samples  []struct{ Value float64 }
				}
				if err := json.Unmarshal([]byte(text), &a); err != nil || len(a.Samples) != 1 {
					t.Fatalf("%v: %s", err, text)
				}
				if id != "" && id != fmt.Sprint(a.End.UnixMilli()) {
					t.Errorf("id %s of the window that ends at %d", id, a.End.UnixMilli())
				}
				out = append(out, fmt.Sprint(kind, " ", a.End.Sub(noon), " ", a.Samples[0].Value, " ", a.Complete))
			}
		}
		return out
	}
	if got, want := fmt.Sprint(events("", 2)), "[closed 0s 2 true live 5s 4 false]"; got != want {
		t.Errorf("first: got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(events(fmt.Sprint(noon.Add(-15*time.Second).UnixMilli()), 4)), "[closed -10s 2 true closed -5s 2 true closed 0s 2 true live 5s 4 false]"; got != want {
		t.Errorf("again: got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(events(fmt.Sprint(noon.UnixMilli()), 1)), "[live 5s 4 false]"; got != want {
		t.Errorf("nothing missed: got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(events(fmt.Sprint(noon.Add(time.Hour).UnixMilli()), 2)), "[closed 0s 2 true live 5s 4 false]"; got != want {
		t.Errorf("of a service that was put back: got %s, want %s", got, want)
	}
	for path, want := range map[string]string{
		"plays,ctr/live": "2 KPIs are asked for, of one a stream: ask for one", "plays/live?at=now": `parameter \"at\" is unknown for plays`, "play/live": "did you mean plays?",
	} {
		resp, err := http.Get(server.URL + "/api/v1/kpis/" + path)
		if err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(resp.Body).ReadString('\n')
		resp.Body.Close()
		if !strings.Contains(line, want) {
			t.Errorf("%s: got %s, want %s", path, line, want)
		}
	}
}
