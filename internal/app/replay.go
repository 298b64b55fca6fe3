package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/backtest"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/redact"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/stream/jetstream"
	"github.com/tidewatch/tidewatch/windows"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// A Replay judges the rules of a file over what the stream of events holds, as a service
// would have that began with its first message: each event is known from when it came. It
// reads the stream as any client does. What it computes is in a folder of its own, which
// goes with it.
type Replay struct {
	line
	trial
	options ReplayOptions
	events  retained
	report  *backtest.Report
	extent  Extent
	folder  string
	closing []func() error
	// definitions are those of the service; the engine has what the rules read.
	definitions string
	// unsure is for how long behind the first message that is read something may be
	// missing: what came before it may be of later events, and come again.
	unsure time.Duration
	// between is how many bytes are read between two epochs, which let go of what is over.
	between int
}

// ReplayOptions say what is judged, and where the stream is.
type ReplayOptions struct {
	Name     string // of the rule file
	Rules    []byte
	From, To time.Time
	// URL is the NATS server with the stream.
	URL string
	// Warn takes what the connection to it warns of.
	Warn func(string)
}

// retained are the events that a stream still holds.
type retained interface {
	eventLog
	// From opens them at a sequence.
	From(ctx context.Context, sequence uint64) (messages, error)
}

// messages are read in their order.
type messages interface {
	Next(ctx context.Context, buf []stream.Raw, maxBytes int) ([]stream.Raw, error)
	Close()
}

// joined is the stream of a service.
type joined struct{ *jetstream.Broker }

func (j joined) From(ctx context.Context, sequence uint64) (messages, error) {
	return j.Source(ctx, sequence, 0)
}

// An Extent is what is read of a stream: so many messages from the first one on, about so
// many bytes, none where no rule can be judged as known then.
type Extent struct {
	First, Messages, Bytes uint64
	Since                  time.Time // when the first was stored
}

// OpenReplay joins the stream and says what is to be read of it. The configuration is the
// service's.
func OpenReplay(ctx context.Context, c *config.Config, o ReplayOptions) (*Replay, error) {
	b, err := jetstream.Join(jetstream.Options{URL: o.URL, Ahead: c.ClockErrors.Ahead, PassOver: true, Warn: o.Warn})
	if err != nil {
		return nil, err
	}
	r, err := openReplay(ctx, c, joined{b}, o)
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("replay the stream at %s: %w", redact.URL(o.URL), err)
	}
	r.closing = append(r.closing, b.Close)
	return r, nil
}

func openReplay(ctx context.Context, c *config.Config, events retained, o ReplayOptions) (_ *Replay, err error) {
	r := &Replay{options: o, events: events, unsure: stream.MaxAhead + c.DedupWindow, between: 128 << 20}
	r.merged = r.note
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	d, err := LoadDefinitions(c)
	if err != nil {
		return nil, err
	}
	whole, err := plan.New(d.Catalogue, stream.HashKey{})
	if err != nil {
		return nil, err
	}
	r.definitions = windows.Identity(whole, timingOf(c))
	beside, err := recordingsOf(d.Rules.Recordings())
	if err != nil {
		return nil, err
	}
	options := ruleOptions(c, d.Catalogue)
	if r.trial, err = readTrial(o.Name, o.Rules, d.Catalogue, options, beside); err != nil {
		return nil, err
	}
	reaches, err := backtest.Reaches(r.file, d.Catalogue, r.recordings)
	if err != nil {
		return nil, err
	}
	if err := r.survey(ctx, reaches); err != nil || r.extent.Messages == 0 {
		return r, err
	}
	r.keep()
	part, err := backtest.Part(r.file, d.Catalogue, r.recordings)
	if err != nil {
		return nil, err
	}
	if err := r.build(c, part); err != nil {
		return nil, err
	}
	if r.given, err = alerts.NewEngine([]*alerts.RuleFile{r.file}, part, options); err != nil {
		return nil, err
	}
	if err := r.prepare(newHashKey()); err != nil {
		return nil, err
	}
	r.rules.Load().recordings = r.recordings
	r.lane.quietTo = math.MaxUint64 // nobody is to be told
	return r, r.store.Adopt(nil)
}

// build makes the engine, in a folder of its own and on one thread. Nobody is told of
// anything.
func (r *Replay) build(c *config.Config, part *kpi.Catalogue) (err error) {
	if r.folder, err = os.MkdirTemp("", "tidewatch-replay-"); err != nil {
		return fmt.Errorf("make a folder for the replay: %w", err)
	}
	own := *c
	own.Data, own.Partitions = r.folder, 1
	own.Rules, own.Alertmanager, own.Alertmanagers, own.RemoteWrite, own.Users.Pseudonymise = nil, "", nil, nil, false
	if r.engine, err = openEngine(&own, engineOptions{Lane: theLane, Log: zerolog.Nop(), Catalogue: part}); err != nil {
		return err
	}
	r.closing = append(r.closing, r.engine.close)
	return nil
}

// keep leaves the rules in the file that are judged as known then.
func (r *Replay) keep() {
	known := map[*alerts.Rule]bool{}
	for i, rule := range r.all.Status().Rules {
		known[rule.Of] = !r.report.Rules[i].KnownFrom.IsZero()
	}
	for i := range r.file.Groups {
		g := &r.file.Groups[i]
		g.Rules = slices.DeleteFunc(slices.Clone(g.Rules), func(rule *alerts.Rule) bool { return !known[rule] })
	}
}

// Definitions tell apart what is judged: they are those of a service with the same
// configuration.
func (r *Replay) Definitions() string { return r.definitions }

// Extent is what Run reads at most.
func (r *Replay) Extent() Extent { return r.extent }

// Run reads the stream and puts what was known then into a report by sealed values.
// read is told how many messages were.
func (r *Replay) Run(ctx context.Context, sealed *backtest.Report, read func(messages int)) error {
	done := make(chan error, 1)
	go func() { // on a thread that lets others go first
		new(background).enter()
		done <- r.run(ctx, read)
	}()
	if err := <-done; err != nil {
		return err
	}
	return sealed.Join(r.report, r.all.Status())
}

func (r *Replay) run(ctx context.Context, read func(messages int)) error {
	if r.extent.Messages == 0 {
		return nil
	}
	in, err := r.events.From(ctx, r.extent.First)
	if err != nil {
		return err
	}
	defer in.Close()
	var raws []stream.Raw
	last, to := r.extent.First+r.extent.Messages-1, r.options.To.UnixMilli()
	for bytes, ended := 0, false; !ended && r.lane.Sequencer.Watermark < to; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if raws, err = in.Next(ctx, raws[:0], parcelBytes); err != nil {
			return purged(err)
		}
		ended = raws[len(raws)-1].Sequence >= last
		raws = slices.DeleteFunc(raws, func(m stream.Raw) bool { return m.Sequence > last }) // it came since
		if err := r.take(raws); err != nil {
			return err
		}
		read(len(raws))
		for _, raw := range raws {
			bytes += raw.Size()
		}
		if bytes >= r.between {
			bytes = 0
			if err := r.Checkpoint(); err != nil {
				return err
			}
		}
	}
	r.blame()
	return nil
}

// purged says what to do about messages that the service let go of.
func purged(err error) error {
	if gap, ok := errors.AsType[*jetstream.GapError](err); ok && gap.Cause == jetstream.Purged {
		return fmt.Errorf("%w meanwhile: try again", err)
	}
	return err
}

// blame notes which rules could not be evaluated.
func (r *Replay) blame() {
	wrong := map[*alerts.Rule]string{}
	for _, rule := range r.rules.Load().Status().Rules {
		wrong[rule.Of] = rule.LastError
	}
	for i, rule := range r.all.Status().Rules {
		r.report.Rules[i].LastError = wrong[rule.Of]
	}
}

// note notes what the rules decided.
func (r *Replay) note(_ *parcel, told []alerts.Notification) error {
	r.notifications = nil
	for _, n := range told {
		if n.WindowEnd > r.options.To.UnixMilli() {
			break
		}
		if err := r.report.Take(n, backtest.AsKnownThen); err != nil {
			return err
		}
	}
	return nil
}

// Close lets go of the stream and of the folder.
func (r *Replay) Close() {
	for _, f := range r.closing {
		_ = f() // all is gone with the folder
	}
	r.closing = nil
	if r.folder != "" {
		_ = os.RemoveAll(r.folder)
	}
}
