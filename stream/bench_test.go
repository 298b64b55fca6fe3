package stream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// benchMessages are messages of varied events as producers write them, about
// 300 bytes each.
func benchMessages(messages, events int) [][]byte {
	r := rand.New(rand.NewPCG(7, 7))
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.FixedZone("", 8*3600))
	var out [][]byte
	for range messages {
		var b bytes.Buffer
		for range events {
			now = now.Add(time.Duration(r.IntN(100)) * time.Microsecond)
			fmt.Fprintf(&b, `{"id":"01J9%022X","time":"%s","type":"%s","user_id":"u%d","session_id":"s%d","channel":"%s","region":"cn-%s","device":"%s","content_id":"v%d"`,
				r.Uint64(), now.Format("2006-01-02T15:04:05.000Z07:00"), pick("play", "play", "impression", "click", "like", "add_to_cart", "pay"), r.IntN(1e6), r.IntN(1e6),
				pick("douyin", "kuaishou", "wechat", "xiaohongshu"), pick("gd", "bj", "sh", "zj", "js"), pick("ios", "android", "web"), r.IntN(1e5))
			if r.IntN(3) == 0 {
				fmt.Fprintf(&b, `,"campaign_id":"m%d"`, r.IntN(100))
			}
			switch r.IntN(4) {
			case 0:
				fmt.Fprintf(&b, `,"amount_minor":%d,"currency":"CNY","order_id":"o%d"`, r.IntN(1e6), r.IntN(1e8))
			default:
				fmt.Fprintf(&b, `,"watch_ms":%d,"duration_ms":%d,"creator_id":"c%d","variant":"%s"`, r.IntN(60000), 1000*r.IntN(90), r.IntN(1e4), pick("A", "B"))
			}
			fmt.Fprintf(&b, `,"props":{"vertical":"%s"}}`+"\n", pick("food", "travel", "beauty", "games"))
		}
		out = append(out, b.Bytes())
	}
	return out
}

func BenchmarkDecode(b *testing.B) {
	messages := benchMessages(50, 100)
	size := 0
	for _, m := range messages {
		size += len(m)
	}
	// run reports the mean and, for busy machines, the best pass.
	run := func(b *testing.B, pass func()) {
		b.SetBytes(int64(size))
		b.ReportAllocs()
		best := time.Hour
		for b.Loop() {
			start := time.Now()
			pass()
			best = min(best, time.Since(start))
		}
		events := float64(len(messages) * 100)
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/events, "ns/event")
		b.ReportMetric(float64(best.Nanoseconds())/events, "best-ns/event")
	}
	for name, raw := range map[string]Raw{
		"columns": {}, "array": {ContentType: "application/json"},
	} {
		b.Run(name, func(b *testing.B) {
			d := NewDecoder(catalogue, testKey)
			var batch Batch
			input := messages
			if name == "array" {
				input = nil
				for _, m := range messages {
					input = append(input, fmt.Appendf(nil, "[%s]", bytes.ReplaceAll(bytes.TrimSpace(m), []byte("\n"), []byte(","))))
				}
			}
			run(b, func() {
				batch.Reset(catalogue)
				for _, m := range input {
					raw.Data = m
					d.Append(&batch, raw)
				}
			})
			for _, r := range batch.Reason {
				if r != ReasonNone {
					b.Fatal(r)
				}
			}
		})
	}
	b.Run("check", func(b *testing.B) {
		d := NewChecker(catalogue, testKey)
		var text []byte
		run(b, func() {
			for _, m := range messages {
				text = append(text[:0], m...)
				_, _ = d.Judge(text)
			}
		})
	})
	b.Run("encoding/json", func(b *testing.B) {
		type event struct {
			ID, Time, Type          string
			UserID                  string `json:"user_id"`
			Channel, Region, Device string
			CampaignID              string `json:"campaign_id"`
			ContentID               string `json:"content_id"`
			Currency                string
			Watch                   int64 `json:"watch_ms"`
			Duration                int64 `json:"duration_ms"`
			Amount                  int64 `json:"amount_minor"`
		}
		run(b, func() {
			for _, m := range messages {
				for line := range bytes.Lines(m) {
					var e event
					if err := json.Unmarshal(line, &e); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	})
}

// BenchmarkPseudonymise is what an event of one id costs more to take.
func BenchmarkPseudonymise(b *testing.B) {
	p := pseudonymiser(b)
	line := []byte(`{` + good + `,"channel":"douyin","content_id":"c17","watch_ms":8200,"duration_ms":15000}`)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	var out []byte
	for b.Loop() {
		out = p.Append(out[:0], line)
	}
}
