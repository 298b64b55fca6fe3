package jetstream

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

// The streams.
const (
	Events      = "EVENTS"      // subjects events.>
	Late        = "LATE"        // late.>: events beyond the lateness
	DeadLetters = "DEADLETTERS" // deadletters.>: what could not be read
	Signals     = "SIGNALS"     // signals.>: what happened to users
)

const (
	eventSubject = "events.in"
	tickSubject  = "events.tick"
	sideBytes    = 1 << 30
	// repeats is for how long the embedded server knows ids of outputs, in its memory, by
	// default two minutes: one of which it was not heard whether it went out is tried again
	// within seconds.
	repeats      = 30 * time.Second
	eraseSubject = "events.erase"
	// SignalsAge is for how long signals are kept.
	SignalsAge = 30 * 24 * time.Hour
)

// configs are the streams as a new store gets them.
func configs(o Options) []jetstream.StreamConfig {
	knows := time.Duration(0) // by default
	if o.URL == "" {
		knows = repeats
	}
	side := func(name, subjects string, age time.Duration) jetstream.StreamConfig {
		return jetstream.StreamConfig{
			Name: name, Subjects: []string{subjects}, Storage: jetstream.FileStorage,
			Discard: jetstream.DiscardOld, MaxBytes: sideBytes, MaxAge: age, Duplicates: min(knows, cmp.Or(age, knows)),
			AllowDirect: true, AllowAtomicPublish: true,
		}
	}
	return []jetstream.StreamConfig{
		{
			Name: Events, Subjects: []string{"events.>"}, Storage: jetstream.FileStorage,
			Discard: jetstream.DiscardNew, MaxBytes: o.MaxBytes,
			// No AllowDirect: a follower that lags would deny a message.
		},
		side(Late, "late.>", o.MaxAge),
		side(DeadLetters, "deadletters.>", o.MaxAge),
		side(Signals, "signals.>", SignalsAge),
	}
}

// ensureStreams makes the streams that are missing and says whether it made
// any.
func ensureStreams(ctx context.Context, js jetstream.JetStream, o Options) (made bool, err error) {
	for _, want := range configs(o) {
		one, err := ensureStream(ctx, js, o, want)
		made = made || one
		if err != nil {
			return made, err
		}
	}
	return made, nil
}

// ensureStream makes a stream if it is missing. Streams of a cluster belong to its
// operator: they are checked, not changed.
func ensureStream(ctx context.Context, js jetstream.JetStream, o Options, want jetstream.StreamConfig) (made bool, err error) {
	s, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		create := func() error { _, err := js.CreateStream(ctx, want); return err }
		if o.URL != "" {
			err = create()
		} else if err = dropMeta(o.Dir, want.Name); err == nil {
			err = keeping(o.Dir, want.Name, create)
		}
		if err != nil {
			return false, fmt.Errorf("create stream %s: %w", want.Name, err)
		}
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up stream %s: %w", want.Name, err)
	}
	have := s.CachedInfo().Config
	forgets := want.Duplicates != 0 && have.Duplicates > want.Duplicates
	if o.URL == "" && (have.MaxBytes != want.MaxBytes || have.MaxAge != want.MaxAge || forgets) {
		have.MaxBytes, have.MaxAge = want.MaxBytes, want.MaxAge
		if forgets {
			have.Duplicates = want.Duplicates
		}
		if _, err := js.UpdateStream(ctx, have); err != nil {
			return false, fmt.Errorf("update stream %s: %w", want.Name, err)
		}
	}
	if want.Name == Events {
		return false, keepsUnread(have)
	}
	return false, nil
}

// Restore makes a stream of outputs anew that somebody has removed, and says whether it had
// to. Its sequences go on behind the last one, so that readers go on where they were.
func (b *Broker) Restore(ctx context.Context, stream string, last uint64) (made bool, err error) {
	for _, want := range configs(b.o) {
		if want.Name == stream && stream != Events {
			want.FirstSeq = last + 1
			return ensureStream(ctx, b.writeJS, b.o, want)
		}
	}
	return false, nil
}

// dropMeta removes what an embedded server that does not know a stream, or a reader
// of one, has of its description: killed while it wrote that, it can neither read
// it nor writes it anew. The messages stay.
func dropMeta(dir, folder string) error {
	for _, file := range []string{server.JetStreamMetaFile, server.JetStreamMetaFileSum} {
		if err := os.Remove(filepath.Join(streamsFolder(dir), folder, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// keepsUnread refuses settings by which a server drops events nobody has read.
func keepsUnread(c jetstream.StreamConfig) error {
	var bad string
	switch limited := c.MaxBytes > 0 || c.MaxMsgs > 0; {
	case c.Retention != jetstream.LimitsPolicy:
		bad = "retention must be limits, got " + c.Retention.String()
	case limited && c.Discard != jetstream.DiscardNew:
		bad = "discard must be new, got " + c.Discard.String()
	case c.MaxAge != 0:
		bad = "max_age must be 0, got " + c.MaxAge.String()
	case c.MaxMsgsPerSubject > 0:
		bad = fmt.Sprintf("max_msgs_per_subject must be unlimited, got %d", c.MaxMsgsPerSubject)
	case c.Storage != jetstream.FileStorage:
		bad = "storage must be file, got " + c.Storage.String()
	default:
		return nil
	}
	return fmt.Errorf("stream %s would lose unread events: %s; edit the stream and start again", c.Name, bad)
}

// Info is what a stream holds.
type Info struct {
	// Created is when the stream was made: another time is another stream,
	// whatever its sequences say.
	Created time.Time
	// First and Last are the sequences it holds; First is Last + 1 when it
	// is empty.
	First, Last uint64
	Messages    uint64
	// Bytes of at most MaxBytes are in use; MaxBytes is -1 without a limit.
	Bytes    uint64
	MaxBytes int64
}

// Info describes EVENTS.
func (b *Broker) Info(ctx context.Context) (Info, error) { return b.StreamInfo(ctx, Events) }

// Dropped is how many bytes of EVENTS the server could not read when it opened it,
// and dropped: a write that a crash cut off, or damage. last is the message that
// the stream ends at.
func (b *Broker) Dropped(ctx context.Context) (bytes, last uint64, err error) {
	reply, err := b.read.RequestWithContext(ctx, server.JSApiPrefix+".STREAM.INFO."+Events, []byte(`{"deleted_details":true}`))
	if err != nil {
		return 0, 0, fmt.Errorf("look up stream %s: %w", Events, err)
	}
	var info struct {
		State struct {
			Last uint64 `json:"last_seq"`
			Lost struct {
				Bytes uint64 `json:"bytes"`
			} `json:"lost"`
		} `json:"state"`
	}
	if err := json.Unmarshal(reply.Data, &info); err != nil {
		return 0, 0, fmt.Errorf("look up stream %s: %w", Events, err)
	}
	return info.State.Lost.Bytes, info.State.Last, nil
}

// StreamInfo describes any of the streams.
func (b *Broker) StreamInfo(ctx context.Context, stream string) (Info, error) {
	s, err := b.readJS.Stream(ctx, stream)
	if err != nil {
		return Info{}, fmt.Errorf("look up stream %s: %w", stream, err)
	}
	i := s.CachedInfo()
	return Info{
		Created: i.Created,
		// A stream that never held a message begins at 0.
		First:    max(i.State.FirstSeq, 1),
		Last:     i.State.LastSeq,
		Messages: i.State.Msgs,
		Bytes:    i.State.Bytes,
		MaxBytes: i.Config.MaxBytes,
	}, nil
}

// Purge removes the events with sequences below before. Nothing behind the
// position of a kept epoch must be purged.
func (b *Broker) Purge(ctx context.Context, before uint64) error {
	s, err := b.writeJS.Stream(ctx, Events)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", Events, err)
	}
	// Zero would purge everything.
	if before <= max(s.CachedInfo().State.FirstSeq, 1) {
		return nil
	}
	// Beyond the end, sequences would be skipped that no message ever had.
	if last := s.CachedInfo().State.LastSeq; before > last+1 {
		return fmt.Errorf("purge %s below %d: the stream ends at %d", Events, before, last)
	}
	if err := s.Purge(ctx, jetstream.WithPurgeSequence(before)); err != nil {
		return fmt.Errorf("purge %s below %d: %w", Events, before, err)
	}
	return nil
}
