package jetstream

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidewatch/tidewatch/stream"
)

// processTime is the CPU time of the process, the server's share included.
func processTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkSource reads a synced stream on disk, by events in a message of 300
// bytes each.
func BenchmarkSource(b *testing.B) {
	for _, events := range []int{1, 100, 1000} {
		b.Run(strconv.Itoa(events), func(b *testing.B) {
			br := open(b, Options{NoSync: true})
			n := min(200_000/events*10, 100_000)
			fill(b, br, n, events*300)
			buf := make([]stream.Raw, 0, 4096)
			b.SetBytes(int64(n * events * 300))
			b.ReportAllocs()
			var cpu time.Duration
			for b.Loop() {
				start := processTime()
				s := source(b, br, 1)
				for got := 0; got < n; got += len(buf) {
					var err error
					if buf, err = s.Next(context.Background(), buf[:0], 1<<20); err != nil {
						b.Fatal(err)
					}
				}
				s.Close()
				cpu += processTime() - start
			}
			messages := float64(b.N * n)
			b.ReportMetric(float64(b.Elapsed())/messages, "ns/msg")
			b.ReportMetric(float64(cpu)/messages, "cpu-ns/msg")
			b.ReportMetric(float64(cpu)/1e3/messages/float64(events), "cpu-µs/event")
		})
	}
}

func fill(b *testing.B, br *Broker, n, size int) {
	b.Helper()
	noise := make([]byte, size+n%4096+4096)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for i := range n {
		if _, err := br.writeJS.PublishAsync(eventSubject, noise[i%4096:][:size], jetstream.WithStallWait(ackTimeout)); err != nil {
			b.Fatal(err)
		}
	}
	<-br.writeJS.PublishAsyncComplete()
}

// BenchmarkAppend appends single events, synced, by clients at a time.
func BenchmarkAppend(b *testing.B) {
	event := fmt.Appendf(nil, `{"id":"01J9","time":"2026-11-22T10:00:00.123+08:00","type":"play","user_id":"u1","pad":"%0200d"}`, 0)
	for _, clients := range []int{1, 8, 64} {
		b.Run(strconv.Itoa(clients), func(b *testing.B) {
			br := open(b, Options{})
			took := make([]time.Duration, b.N)
			var wg sync.WaitGroup
			cpu := processTime()
			b.ResetTimer()
			for c := range clients {
				wg.Go(func() {
					for i := c; i < b.N; i += clients {
						start := time.Now()
						if _, err := br.Append(context.Background(), event); err != nil {
							b.Error(err)
						}
						took[i] = time.Since(start)
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			cpu = processTime() - cpu
			slices.Sort(took)
			info, err := br.Info(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			b.ReportMetric(float64(b.N)/float64(info.Messages), "events/msg")
			b.ReportMetric(float64(took[len(took)/2])/1e3, "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100])/1e3, "p99-µs")
			b.ReportMetric(float64(cpu)/1e3/float64(b.N), "cpu-µs/event")
		})
	}
}

// BenchmarkOutput publishes late rows, synced, by rows in a call.
func BenchmarkOutput(b *testing.B) {
	for _, rows := range []int{1, 100, 1000} {
		b.Run(strconv.Itoa(rows), func(b *testing.B) {
			br := open(b, Options{})
			outs, id := make([]Output, rows), 0
			for b.Loop() {
				for i := range outs {
					id++
					outs[i] = Output{Subject: "late.events", ID: strconv.Itoa(id), Data: make([]byte, 300)}
				}
				if _, err := br.PublishOutput(context.Background(), Late, outs...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkAppendBody appends bodies of many events, synced, one at a time.
func BenchmarkAppendBody(b *testing.B) {
	for _, events := range []int{100, 1000, 10_000} {
		b.Run(strconv.Itoa(events), func(b *testing.B) {
			br := open(b, Options{})
			lines, size := make([][]byte, events), 0
			for i := range lines {
				lines[i] = fmt.Appendf(nil, `{"id":"%016x","time":"2026-11-22T10:00:%02d.%03d+08:00","type":"play","user_id":"u%d","session_id":"s%x","channel":"douyin","region":"cn-gd","device":"ios","content_id":"v%d","watch_ms":%d,"duration_ms":15000}`,
					rand.Uint64(), rand.IntN(60), rand.IntN(1000), rand.IntN(1e6), rand.Uint64(), rand.IntN(1e5), rand.IntN(15000))
				size += len(lines[i]) + 1
			}
			b.SetBytes(int64(size))
			cpu := processTime()
			for b.Loop() {
				if _, err := br.Append(context.Background(), bytes.Join(lines, []byte("\n"))); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*events)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(processTime()-cpu)/1e3/float64(b.N*events), "cpu-µs/event")
		})
	}
}
