package app

import (
	"bytes"
	"testing"

	"github.com/tidewatch/tidewatch/stream"
)

// TestWeigh: lines that are no events, and what was squeezed to next to nothing, weigh what
// their rows take, not what their bytes do.
func TestWeigh(t *testing.T) {
	event := []byte(`{"id":"7","time":1700000000000,"type":"play","user_id":"u1","channel":"douyin","content_id":"c1","watch_ms":5000,"duration_ms":9000,"region":"cn-gd","device":"ios","session_id":"s","campaign_id":"m1","creator_id":"k1","currency":"CNY","amount_minor":12,"props":{"scene":"feed","position":"12","app_version":"31.2.0","carrier":"cmcc","network":"wifi","ab_bucket":"b-17","referrer":"home","os_version":"17.4","screen":"1170x2532","locale":"zh-CN","sdk":"4.2.1","trace":"5f2c7c982b2eefcad0c8"}}` + "\n")
	for name, c := range map[string]struct {
		message stream.Raw
		size    int64
		want    int64
	}{
		"events":   {stream.Raw{Data: bytes.Repeat(event, 100)}, int64(100 * len(event)), int64(100 * max(len(event), rowBytes))},
		"lines":    {stream.Raw{Data: bytes.Repeat([]byte("x\n"), 1000)}, 2000, 1000 * rowBytes},
		"packed":   {stream.Raw{Data: make([]byte, 1000), ContentEncoding: "s2"}, 20_000, 20_000},
		"squeezed": {stream.Raw{Data: make([]byte, 1000), ContentEncoding: "gzip"}, 1_000_000, 1_000_000 * rowBytes},
	} {
		if got := weigh(c.message, c.size); got != c.want {
			t.Errorf("%s: %d bytes weigh %d, want %d", name, c.size, got, c.want)
		}
	}
}
