package api

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/internal/backtest"
)

// slowly is a Backtester that takes its time.
type slowly struct{ begun, over chan struct{} }

func (h slowly) Backtest(context.Context, Backtest) (*backtest.Report, []string, error) {
	h.begun <- struct{}{}
	<-h.over
	return &backtest.Report{}, nil, nil
}

// One backtest runs at a time.
func TestBacktestsInTurn(t *testing.T) {
	b := slowly{make(chan struct{}), make(chan struct{})}
	d := changed(t, begun)
	d.Backtester = b
	h := New(d)
	post := func(ctx context.Context) int {
		r := httptest.NewRequestWithContext(ctx, "POST", "/api/v1/rules/backtest?from=-1h", strings.NewReader("groups: []"))
		r.Host = "localhost"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	first := make(chan int)
	go func() { first <- post(t.Context()) }()
	<-b.begun
	gone, leave := context.WithCancel(t.Context())
	leave()
	if got := post(gone); got != 503 {
		t.Errorf("while one runs: got %d, want 503", got)
	}
	close(b.over)
	if got := <-first; got != 200 {
		t.Errorf("the first: got %d, want 200", got)
	}
}
