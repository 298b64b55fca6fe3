package state

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/history"
)

// cpu is the processor time of this process so far.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkCommit(b *testing.B) {
	for _, dirty := range []int{0, 1, 8, 40} {
		b.Run(fmt.Sprintf("dirty=%dMB", dirty), func(b *testing.B) {
			s := open(b, b.TempDir(), Options{})
			r := rand.New(rand.NewPCG(1, 2))
			data := make([][]byte, 16)
			for i := range data {
				data[i] = random(r, chunkSize)
			}
			pages := max(1, 3*dirty*16) // three times as much is live
			commit := func() {
				var c Commit
				for range dirty * 16 {
					c.Write = append(c.Write, Page{ID: PageID{B: r.Uint64N(uint64(pages))}, Data: data[r.IntN(16)]})
				}
				if err := s.Commit(c); err != nil {
					b.Fatal(err)
				}
			}
			for range 10 {
				commit()
			}
			longest, began := time.Duration(0), cpu(b)
			b.SetBytes(int64(dirty) << 20)
			for b.Loop() {
				start := time.Now()
				commit()
				longest = max(longest, time.Since(start))
			}
			spent := cpu(b) - began
			if dirty > 0 {
				b.ReportMetric(float64(spent)/float64(b.N)/float64(dirty<<20), "core-ns/B")
			}
			b.ReportMetric(float64(longest.Microseconds())/1e3, "longest-ms")
		})
	}
}

func BenchmarkRecover(b *testing.B) {
	dir := b.TempDir()
	s := open(b, dir, Options{})
	r := rand.New(rand.NewPCG(1, 2))
	data := random(r, 256<<10)
	const pages = 1200 // 300 MiB
	for n := 0; n < pages; n += 100 {
		var c Commit
		for i := range 100 {
			c.Write = append(c.Write, Page{ID: PageID{B: uint64(n + i)}, Data: data})
		}
		if err := s.Commit(c); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(pages * 256 << 10)
	for b.Loop() {
		s := open(b, dir, Options{})
		if len(epochs(b, s)) != 2 {
			b.Fatal("not two epochs")
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBlock(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	block := &history.Block{
		BlockID: history.BlockID{Set: "by=channel", Window: kpi.Window{Length: 5 * time.Minute}},
		First:   1e9, Step: 5, Count: 120, Columns: []string{"plays", "clicks"},
	}
	for n := range 100 {
		series := history.Series{Labels: []string{fmt.Sprint("channel-", n)}}
		plays, clicks := int64(1000), int64(30)
		for w := range 120 {
			plays, clicks = plays+r.Int64N(41)-20, clicks+r.Int64N(5)-2
			series.Points = append(series.Points, history.Point{End: 1e9 + int64(w)*5, Values: []int64{plays, clicks}})
		}
		block.Series = append(block.Series, series)
	}
	data, err := encodeBlock(block)
	if err != nil {
		b.Fatal(err)
	}
	size := float64(len(data)) / (100 * 120)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if data, err = encodeBlock(block); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(size, "B/point")
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodeBlock(data); err != nil {
				b.Fatal(err)
			}
		}
	})
}
