package jetstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/tidewatch/tidewatch/internal/space"
	"github.com/tidewatch/tidewatch/stream"
)

func open(t testing.TB, o Options) *Broker {
	t.Helper()
	if o.Dir == "" && o.URL == "" {
		o.Dir = t.TempDir()
	}
	b, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func line(i int) []byte { return fmt.Appendf(nil, `{"id":"e%d"}`, i) }

func appendEvents(t testing.TB, b *Broker, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if _, err := b.Append(t.Context(), line(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func source(t testing.TB, b *Broker, from uint64) *Source {
	t.Helper()
	s, err := b.Source(t.Context(), from, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func read(t testing.TB, s *Source, n int) []stream.Raw {
	t.Helper()
	var got []stream.Raw
	for len(got) < n {
		var err error
		if got, err = s.Next(t.Context(), got, 1); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

func lines(t *testing.T, m stream.Raw) [][]byte {
	t.Helper()
	data := m.Data
	if m.ContentEncoding == stream.S2Block {
		var err error
		if data, err = s2.Decode(nil, data); err != nil {
			t.Fatal(err)
		}
	}
	return bytes.Split(data, []byte("\n"))
}

// wantGap reads on until the row breaks.
func wantGap(t *testing.T, s *Source, want Cause) *GapError {
	t.Helper()
	for {
		_, err := s.Next(t.Context(), nil, 1)
		if err == nil {
			continue
		}
		var gap *GapError
		if !errors.As(err, &gap) || gap.Cause != want {
			t.Fatalf("got %v, want a gap of cause %d", err, want)
		}
		if _, again := s.Next(t.Context(), nil, 1); !errors.Is(again, err) {
			t.Fatalf("the gap did not stay: got %v", again)
		}
		return gap
	}
}

func raws(t *testing.T, b *Broker) jetstream.Stream {
	t.Helper()
	s, err := b.writeJS.Stream(t.Context(), Events)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPublishAndRead(t *testing.T) {
	b := open(t, Options{})
	s := source(t, b, 0)
	if !s.CaughtUp() {
		t.Error("an empty stream is not caught up")
	}
	before := time.Now().UnixMilli()
	appendEvents(t, b, 1, 101)
	if seq, err := b.Tick(t.Context(), stream.Tick{To: 7}); seq != 101 || err != nil {
		t.Fatalf("tick: got %d, %v, want 101", seq, err)
	}
	if err := b.write.PublishMsg(&nats.Msg{Subject: "events.import.x", Data: []byte("packed"),
		Header: nats.Header{"Content-Type": {"application/json"}, "Content-Encoding": {"s2"}}}); err != nil {
		t.Fatal(err)
	}
	if err := b.write.Publish(tickSubject, line(1)); err != nil {
		t.Fatal(err)
	}
	got := read(t, s, 103)
	for i, m := range got[:100] {
		if m.Sequence != uint64(i+1) || !bytes.Equal(m.Data, line(i+1)) || m.Tick {
			t.Fatalf("message %d: got %d %q", i+1, m.Sequence, m.Data)
		}
		if m.Stamp < before || m.Stamp > time.Now().UnixMilli() {
			t.Fatalf("message %d: stamp %d", i+1, m.Stamp)
		}
	}
	if m := got[100]; !m.Tick || string(m.Data) != `{"to":7}` {
		t.Errorf("tick: got %+v", m)
	}
	if m := got[101]; m.Tick || m.ContentType != "application/json" || m.ContentEncoding != "s2" || string(m.Data) != "packed" {
		t.Errorf("headers: got %+v", m)
	}
	if m := got[102]; m.Tick || !bytes.Equal(m.Data, line(1)) {
		t.Errorf("an event under the subject of ticks: got %+v", m)
	}
	if !s.CaughtUp() || s.Pending() != 0 {
		t.Errorf("not caught up: %d pending", s.Pending())
	}
	one, err := b.Message(t.Context(), 50)
	if err != nil || one.Sequence != 50 || one.Stamp != got[49].Stamp || !bytes.Equal(one.Data, line(50)) {
		t.Errorf("message 50: got %+v, %v", one, err)
	}
	if _, err := b.Message(t.Context(), 1000); !errors.Is(err, ErrNoMessage) {
		t.Errorf("message 1000: got %v, want ErrNoMessage", err)
	}
}

// TestNextCountsUnpackedBytes: a batch stays in bounds though its messages are
// small where the stream holds them.
func TestNextCountsUnpackedBytes(t *testing.T) {
	b := open(t, Options{})
	s := source(t, b, 1)
	body := bytes.Repeat([]byte(`{"id":"x"}`+"\n"), 10_000)
	for range 6 {
		if _, err := b.Append(t.Context(), body); err != nil {
			t.Fatal(err)
		}
	}
	for len(s.messages) < 6 {
		runtime.Gosched()
	}
	got, err := s.Next(t.Context(), nil, len(body)+1)
	if len(got) != 2 || err != nil || len(got[0].Data) > len(body)/100 {
		t.Errorf("got %d messages, %v, want 2 packed ones", len(got), err)
	}
}

func TestNextReturnsWhatIsAtHand(t *testing.T) {
	b := open(t, Options{})
	s := source(t, b, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Next(ctx, nil, 1); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want canceled", err)
	}
	appendEvents(t, b, 0, 10)
	for len(s.messages) < 10 {
		runtime.Gosched() // the connection delivers in its own time
	}
	limit := len(line(0)) * 4
	got, err := s.Next(t.Context(), make([]stream.Raw, 0, 8), limit)
	if len(got) != 4 || err != nil {
		t.Errorf("bounded: got %d, %v, want 4", len(got), err)
	}
	if s.Pending() == 0 && s.CaughtUp() && len(s.messages) == 0 {
		t.Error("caught up with messages at hand")
	}
	if got, err = s.Next(t.Context(), got[:0], 1<<20); len(got) != 6 || err != nil {
		t.Errorf("the rest: got %d, %v, want 6", len(got), err)
	}
}

func TestLargeMessages(t *testing.T) {
	b := open(t, Options{})
	s := source(t, b, 1)
	// A size that divides a pull exactly ends it without a word.
	even := make([]byte, 64<<10)
	big := make([]byte, 16<<20)
	for range 200 {
		if _, err := b.writeJS.PublishAsync(eventSubject, even); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if _, err := b.writeJS.PublishAsync(eventSubject, big); err != nil {
			t.Fatal(err)
		}
	}
	got := read(t, s, 203)
	if n := len(got[202].Data); n != len(big) {
		t.Errorf("got %d bytes, want %d", n, len(big))
	}
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	b := open(t, Options{Dir: dir})
	appendEvents(t, b, 1, 11)
	info, err := b.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
	if _, err := b.Append(t.Context(), line(0)); !errors.Is(err, ErrClosed) {
		t.Errorf("append: got %v, want ErrClosed", err)
	}
	b = open(t, Options{Dir: dir})
	again, err := b.Info(t.Context())
	if err != nil || again != info || info.Last != 10 || info.First != 1 {
		t.Fatalf("info: got %+v, %v, want %+v", again, err, info)
	}
	appendEvents(t, b, 11, 16)
	for i, m := range read(t, source(t, b, 6), 10) {
		if m.Sequence != uint64(6+i) || !bytes.Equal(m.Data, line(6+i)) {
			t.Fatalf("got %d %q", m.Sequence, m.Data)
		}
	}
}

// The server stops and starts below a source and a publisher.
func TestReconnect(t *testing.T) {
	b := open(t, Options{})
	s := source(t, b, 1)
	for round := range 3 {
		appendEvents(t, b, round*10, round*10+10)
		if round < 2 { // the last ten are read after the restart
			read(t, s, 10)
		}
		back := b.write.StatusChanged(nats.CONNECTED)
		if err := b.server.restart(); err != nil {
			t.Fatal(err)
		}
		<-back
	}
	if m := read(t, s, 10)[9]; m.Sequence != 30 {
		t.Errorf("got %d, want 30", m.Sequence)
	}
}

func TestSourceChecksItsStart(t *testing.T) {
	b := open(t, Options{})
	if _, err := b.Source(t.Context(), 2, 0); err == nil {
		t.Error("a start beyond an empty stream is taken")
	}
	appendEvents(t, b, 1, 11)
	if err := b.Purge(t.Context(), 6); err != nil {
		t.Fatal(err)
	}
	for from, want := range map[uint64]string{
		3:  "read EVENTS from sequence 3: it is purged, the stream begins at 6",
		12: "read EVENTS from sequence 12: the stream lost its tail, it ends at 10",
		0:  "", 6: "", 11: "",
	} {
		s, err := b.Source(t.Context(), from, 0)
		if err == nil {
			s.Close()
		}
		if got := fmt.Sprint(err); got != want && (want != "" || err != nil) {
			t.Errorf("from %d: got %q, want %q", from, got, want)
		}
	}
	if got := read(t, source(t, b, 0), 1)[0].Sequence; got != 6 {
		t.Errorf("from 0: got %d, want 6", got)
	}
	// All purged: the next sequence is the only start.
	if err := b.Purge(t.Context(), 11); err != nil {
		t.Fatal(err)
	}
	source(t, b, 11)
	if _, err := b.Source(t.Context(), 10, 0); err == nil {
		t.Error("a purged start is taken")
	}
}

func TestGaps(t *testing.T) {
	t.Run("deleted", func(t *testing.T) {
		b := open(t, Options{})
		appendEvents(t, b, 0, 5)
		if err := raws(t, b).DeleteMsg(t.Context(), 3); err != nil {
			t.Fatal(err)
		}
		s := source(t, b, 1)
		if got := read(t, s, 2); len(got) != 2 {
			t.Fatalf("got %d before the gap, want 2", len(got))
		}
		if gap := wantGap(t, s, Deleted); gap.Want != 3 || gap.Got != 4 {
			t.Errorf("got %+v", gap)
		}
	})
	t.Run("purged", func(t *testing.T) {
		b := open(t, Options{})
		s := source(t, b, 1)
		s.drop() // nothing is at hand
		s.wakeUp()
		appendEvents(t, b, 0, 5)
		if err := b.Purge(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		if gap := wantGap(t, s, Purged); gap.Want != 1 || gap.First != 4 {
			t.Errorf("got %+v", gap)
		}
	})
	t.Run("recreated", func(t *testing.T) {
		b := open(t, Options{})
		s := source(t, b, 1)
		appendEvents(t, b, 0, 5)
		read(t, s, 5)
		if err := b.writeJS.DeleteStream(t.Context(), Events); err != nil {
			t.Fatal(err)
		}
		if _, err := ensureStreams(t.Context(), b.writeJS, b.o); err != nil {
			t.Fatal(err)
		}
		appendEvents(t, b, 0, 5)
		_ = wantGap(t, s, Recreated)
	})
}

// The files of the store are set back below a reader, as after a power loss.
func TestLostTail(t *testing.T) {
	for _, c := range []struct {
		name    string
		rewind  int // events in the store that comes back
		extra   int // appended to it before the reader sees it
		resumes bool
		want    Cause
	}{
		{"shorter", 5, 0, false, LostTail},
		{"as long", 5, 5, false, Rewritten},
		{"longer", 5, 20, false, Rewritten},
		{"longer, after a start", 5, 20, true, Rewritten},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, saved := t.TempDir(), t.TempDir()
			first := open(t, Options{Dir: dir})
			appendEvents(t, first, 0, c.rewind)
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.CopyFS(filepath.Join(saved, "s"), os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			b := open(t, Options{Dir: dir})
			appendEvents(t, b, c.rewind, 10)
			s := source(t, b, 1)
			if end := stream.Fingerprint(read(t, s, 10)[9]); c.resumes { // by a process that has read nothing itself
				var err error
				if s, err = b.Source(t.Context(), 11, end); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(s.Close)
			}

			b.server.mu.Lock()
			b.server.halt()
			if err := errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(filepath.Join(saved, "s")))); err != nil {
				t.Fatal(err)
			}
			// The lost events are replaced before the reader comes back.
			if err := b.server.start(); err != nil {
				t.Fatal(err)
			}
			nc, err := nats.Connect("", nats.InProcessServer(b.server.current))
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.extra {
				if _, err := nc.Request(eventSubject, line(1000+i), 5*time.Second); err != nil {
					t.Fatal(err)
				}
			}
			nc.Close()
			b.server.mu.Unlock()
			_ = wantGap(t, s, c.want)
		})
	}
}

func TestFull(t *testing.T) {
	b := open(t, Options{MaxBytes: 64 << 10})
	noise := make([]byte, 10<<10)
	for i := range noise {
		noise[i] = byte(' ' + rand.IntN(90))
	}
	filler := noise
	var err error
	n := 0
	for ; err == nil && n < 100; n++ {
		_, err = b.Append(t.Context(), filler)
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("got %v after %d, want ErrFull", err, n)
	}
	info, _ := b.Info(t.Context())
	if info.First != 1 || info.Last == 0 {
		t.Fatalf("unread events were dropped: %+v", info)
	}
	if err := b.Purge(t.Context(), info.Last); err != nil {
		t.Fatal(err)
	}
	if seq, err := b.Append(t.Context(), filler); err != nil || seq != info.Last+1 {
		t.Errorf("after a purge: got %d, %v, want %d", seq, err, info.Last+1)
	}
}

func TestDiskAlmostFull(t *testing.T) {
	b := open(t, Options{MinFree: 1 << 62})
	_, err := b.Append(t.Context(), line(0))
	if room := b.Room(); !errors.Is(err, ErrNoRoom) || !errors.Is(room, ErrNoRoom) || !strings.Contains(err.Error(), "MiB free at") {
		t.Errorf("got %v and %v, want ErrNoRoom with how much there is", err, room)
	}
	short, ok := errors.AsType[*space.Shortage](b.Room())
	if !ok {
		t.Fatalf("%v does not say how much room there is", b.Room())
	}
	if short.Dir == "" || short.Free == 0 || short.Needed != 1<<62 {
		t.Errorf("at %q %d bytes are free, %d needed", short.Dir, short.Free, short.Needed)
	}
}

func TestAppendSharesMessages(t *testing.T) {
	b := open(t, Options{})
	const clients, each = 64, 20
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				seq, err := b.Append(t.Context(), line(c*each+i))
				if err != nil || seq == 0 {
					t.Errorf("append: %d, %v", seq, err)
				}
			}
		})
	}
	wg.Wait()
	info, err := b.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range read(t, source(t, b, 1), int(info.Last)) {
		for _, l := range lines(t, m) {
			seen[string(l)] = true
		}
	}
	if len(seen) != clients*each {
		t.Errorf("got %d events, want %d", len(seen), clients*each)
	}
	if info.Messages > clients*each/4 {
		t.Errorf("%d events took %d messages", clients*each, info.Messages)
	}
}

func TestAppendSplitsLargeBodies(t *testing.T) {
	b := open(t, Options{})
	var want [][]byte
	for i := range 5000 {
		want = append(want, fmt.Appendf(nil, `{"id":"%d","x":"%s"}`, i, strings.Repeat("y", 1000)))
	}
	last, err := b.Append(t.Context(), bytes.Join(want, []byte("\n")))
	if err != nil || last < 5 || last > 6 {
		t.Fatalf("got %d, %v, want 5 or 6 messages", last, err)
	}
	var got [][]byte
	for _, m := range read(t, source(t, b, 1), int(last)) {
		part := lines(t, m)
		if n := len(bytes.Join(part, []byte("\n"))); n > bodyBytes {
			t.Errorf("message of %d bytes", n)
		}
		if len(m.Data) > bodyBytes/10 {
			t.Errorf("message takes %d bytes", len(m.Data))
		}
		got = append(got, part...)
	}
	if !slices.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("got %d lines, want the %d", len(got), len(want))
	}
}

// What one client sends must not change how the others' lines are read.
func TestAppendKeepsLinesApart(t *testing.T) {
	for _, c := range []struct {
		lines    []string
		want     string
		declared bool
	}{
		{[]string{`{"a":1}`, `{"a":2}`}, "{\"a\":1}\n{\"a\":2}", false},
		{[]string{"{\"a\":1}\r", "", `{"a":2}`}, "{\"a\":1}\r\n\n{\"a\":2}", false},
		{[]string{`[1]`, `{"a":2}`}, "[1]\n{\"a\":2}", true},
		{[]string{`{"a":`, `2}`}, "{\"a\":\n2}", true},
		{[]string{``, `x`, ``}, "x", true},
	} {
		b := open(t, Options{})
		if _, err := b.Append(t.Context(), []byte(strings.Join(c.lines, "\n"))); err != nil {
			t.Fatal(err)
		}
		m, err := b.Message(t.Context(), 1)
		if err != nil || string(m.Data) != c.want || (m.ContentType == "application/x-ndjson") != c.declared {
			t.Errorf("%q: got %q as %q, %v", c.lines, m.Data, m.ContentType, err)
		}
	}
}

func TestAppendNothing(t *testing.T) {
	b := open(t, Options{})
	if seq, err := b.Append(t.Context(), []byte("\n \r\n")); seq != 0 || err != nil {
		t.Errorf("got %d, %v", seq, err)
	}
}

func TestOutputs(t *testing.T) {
	b := open(t, Options{})
	ctx := t.Context()
	out := func(i int) Output {
		return Output{Subject: "late.events", ID: fmt.Sprint("id", i), Data: line(i), Header: map[string]string{"Reason": "late"}}
	}
	if ids, err := b.OutputIDs(ctx, Late, 0); len(ids) != 0 || err != nil {
		t.Fatalf("empty: got %v, %v", ids, err)
	}
	if seq, err := b.PublishOutput(ctx, Late, out(0)); seq != 1 || err != nil {
		t.Fatalf("one: got %d, %v", seq, err)
	}
	var many []Output
	for i := 1; i < 2500; i++ {
		many = append(many, out(i))
	}
	if seq, err := b.PublishOutput(ctx, Late, many...); seq != 2500 || err != nil {
		t.Fatalf("many: got %d, %v, want 2500", seq, err)
	}
	// An id that is out already is not sent twice, alone or among others.
	if seq, err := b.PublishOutput(ctx, Late, out(7)); seq != 8 || err != nil {
		t.Errorf("again: got %d, %v, want 8", seq, err)
	}
	if seq, err := b.PublishOutput(ctx, Late, out(8), out(2500)); seq != 2501 || err != nil {
		t.Errorf("some again: got %d, %v, want 2501", seq, err)
	}
	ids, err := b.OutputIDs(ctx, Late, 2498)
	if want := []string{"id2498", "id2499", "id2500"}; !slices.Equal(ids, want) || err != nil {
		t.Errorf("ids: got %v, %v, want %v", ids, err, want)
	}
	if ids, err = b.OutputIDs(ctx, Late, 0); len(ids) != 2501 || err != nil {
		t.Errorf("all ids: got %d, %v, want 2501", len(ids), err)
	}
	if ids, err = b.OutputIDs(ctx, Late, 2501); len(ids) != 0 || err != nil {
		t.Errorf("none: got %v, %v", ids, err)
	}
	var gap *GapError
	if _, err = b.OutputIDs(ctx, Late, 3000); !errors.As(err, &gap) || gap.Cause != LostTail {
		t.Errorf("lost tail: got %v", err)
	}
	if info, _ := b.StreamInfo(ctx, Events); info.Last != 0 {
		t.Errorf("outputs are in EVENTS: %+v", info)
	}
}

// An answered append survives: the setting reaches the server, no stream opts
// out of it, and a copy of the files taken right after the answer, below a
// running server, holds the event.
func TestAppendIsSynced(t *testing.T) {
	dir := t.TempDir()
	b := open(t, Options{Dir: dir})
	if c := b.server.current.JetStreamConfig(); !c.SyncAlways {
		t.Error("the server does not sync always")
	}
	for _, name := range []string{Events, Late, DeadLetters} {
		s, err := b.writeJS.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if c := s.CachedInfo().Config; c.PersistMode != jetstream.DefaultPersistMode || c.Storage != jetstream.FileStorage || c.Replicas != 1 {
			t.Errorf("%s: got %v on %v with %d replicas, want synced files", name, c.PersistMode, c.Storage, c.Replicas)
		}
	}
	appendEvents(t, b, 0, 20)
	crashed := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	after := open(t, Options{Dir: crashed})
	if m := read(t, source(t, after, 1), 20)[19]; !bytes.Equal(m.Data, line(19)) {
		t.Errorf("got %q", m.Data)
	}
}

func TestCluster(t *testing.T) {
	server := open(t, Options{Listen: "127.0.0.1:0"})
	b := open(t, Options{URL: server.ClientURL()})
	appendEvents(t, b, 0, 10)
	if m := read(t, source(t, b, 1), 10)[9]; m.Sequence != 10 {
		t.Errorf("got %d", m.Sequence)
	}
	ctx := t.Context()
	c := raws(t, server).CachedInfo().Config
	c.Discard = jetstream.DiscardOld
	if _, err := server.writeJS.UpdateStream(ctx, c); err != nil {
		t.Fatal(err)
	}
	_, err := Open(ctx, Options{URL: server.ClientURL()})
	want := "stream EVENTS would lose unread events: discard must be new, got DiscardOld; edit the stream and start again"
	if fmt.Sprint(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestKilledInCreation: a server that was killed while it described its streams
// has them the next time, and ever after.
func TestKilledInCreation(t *testing.T) {
	dir := t.TempDir()
	b := open(t, Options{Dir: dir})
	appendEvents(t, b, 0, 3)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	meta := func(stream, file string) string {
		return filepath.Join(dir, server.JetStreamStoreDir, server.DEFAULT_GLOBAL_ACCOUNT, "streams", stream, file)
	}
	if err := os.Remove(meta(Events, server.JetStreamMetaFileSum)); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(meta(Late, server.JetStreamMetaFile), 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		b := open(t, Options{Dir: dir})
		if got := read(t, source(t, b, 1), 3); !bytes.Equal(got[2].Data, line(2)) {
			t.Errorf("got %q", got[2].Data)
		}
		if _, err := b.StreamInfo(t.Context(), Late); err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Dir: file}, "make stream directory"},
		{Options{Dir: t.TempDir(), Listen: "4222"}, `nats listen address "4222" must be host:port`},
		{Options{Dir: t.TempDir(), Listen: "127.0.0.1:x"}, "the port must be a number"},
		{Options{URL: "nats://u:secret@127.0.0.1:1"}, "connect to NATS at nats://u:xxxxx@127.0.0.1:1"},
	} {
		_, err := Open(t.Context(), c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%+v: got %v, want %q", c.o, err, c.want)
		}
	}
}

func TestCloseWakesReaders(t *testing.T) {
	b := open(t, Options{})
	s := source(t, b, 1)
	done := make(chan error)
	go func() {
		_, err := s.Next(context.Background(), nil, 1)
		done <- err
	}()
	b.Close()
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if _, err := b.Source(t.Context(), 1, 0); err == nil {
		t.Error("a closed broker opens a source")
	}
}

func TestSourceGoesOn(t *testing.T) {
	b := open(t, Options{})
	s := source(t, b, 1)
	for _, c := range []struct {
		name    string
		disturb func()
	}{
		{"a message is lost on its way", func() { <-s.messages }},
		{"the consumer is deleted", func() {
			if err := b.readJS.DeleteConsumer(t.Context(), Events, s.consumer); err != nil {
				t.Fatal(err)
			}
		}},
		{"the subscription is lost", func() { s.wakeUp() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := s.next
			appendEvents(t, b, 0, 10)
			c.disturb()
			appendEvents(t, b, 0, 10)
			for i, m := range read(t, s, 20) {
				if m.Sequence != want+uint64(i) {
					t.Fatalf("got %d, want %d", m.Sequence, want+uint64(i))
				}
			}
		})
	}
}

// Who joins reads what there is, and leaves nothing behind.
func TestJoin(t *testing.T) {
	b := open(t, Options{Listen: "127.0.0.1:0"})
	appendEvents(t, b, 0, 3)
	j, err := Join(Options{URL: b.ClientURL()})
	if err != nil {
		t.Fatal(err)
	}
	s, err := j.Source(t.Context(), 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	raws, err := s.Next(t.Context(), nil, 1<<20)
	if err != nil || len(raws) == 0 || raws[0].Sequence != 2 || !bytes.Contains(raws[0].Data, []byte("e1")) {
		t.Errorf("got %+v, %v", raws, err)
	}
	s.Close()
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	bare, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	bare.Start()
	t.Cleanup(func() { bare.Shutdown(); bare.WaitForShutdown() })
	if !bare.ReadyForConnections(readyTimeout) {
		t.Fatal("the server does not start")
	}
	if j, err = Join(Options{URL: bare.ClientURL()}); err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if _, err := j.Info(t.Context()); err == nil {
		t.Error("a stream is there")
	}
	if made, err := bare.Jsz(nil); err != nil || made.Streams != 0 {
		t.Errorf("streams were made: %+v, %v", made, err)
	}
}
