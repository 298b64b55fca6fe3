package endtoend

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
)

// TestRemoteWriteGoesOn: a store has every window, also those that were sealed while the
// service was away.
func TestRemoteWriteGoesOn(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var ends []int64 // s
	store := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		packed, _ := io.ReadAll(r.Body)
		var req prompb.WriteRequest
		text, err := snappy.Decode(nil, packed)
		if err == nil {
			err = req.Unmarshal(text)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, series := range req.Timeseries {
			for _, p := range series.Samples {
				ends = append(ends, p.Timestamp/1000)
			}
		}
		if err != nil {
			t.Error(err)
		}
	}))
	defer store.Close()
	written := func() []int64 {
		mu.Lock()
		defer mu.Unlock()
		return slices.Compact(slices.Sorted(slices.Values(ends)))
	}
	s := serving(t, fmt.Sprintf("lateness: 1s\nremote_write: [{url: '%s', match: ['kpi_plays{by=\"total\",window=\"5m\"}']}]\n", store.URL))
	s.post(t, event("e", time.Now(), "play", "watch_ms", 1))
	eventually(t, "windows that are written", func() bool { return len(written()) >= 2 }, func() any { return written() })
	s.kill(t)
	n := len(written())
	s.start(t)
	eventually(t, "more windows", func() bool { return len(written()) >= n+3 }, func() any { return written() })
	all := written()
	for i := range all[1:] {
		if all[i+1] != all[i]+5 {
			t.Errorf("windows end at %v", all)
			break
		}
	}
}
