package jetstream

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/tidewatch/tidewatch/internal/access"
)

const (
	// maxPayload leaves room for the headers of a body of 16 MiB.
	maxPayload   = 16<<20 + 64<<10
	readyTimeout = 30 * time.Second
)

// An embedded is the server in this process. Connections dial it through
// InProcessConn, which answers for whichever server runs now: a connection
// survives a restart.
type embedded struct {
	o *server.Options

	warn func(string)

	mu      sync.Mutex
	current *server.Server // nil while none runs
	stopped bool
	started time.Time
}

func embed(o Options) (*embedded, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make stream directory: %w", err)
	}
	so := &server.Options{
		ServerName:        "tidewatch",
		DontListen:        o.Listen == "",
		NoSigs:            true,
		JetStream:         true,
		StoreDir:          o.Dir,
		SyncAlways:        !o.NoSync,
		MaxPayload:        maxPayload,
		MaxConn:           o.MaxClients,
		JetStreamMaxStore: 1 << 50, // MaxBytes and MinFree bound the streams
	}
	if o.Listen != "" {
		host, port, err := splitListen(o.Listen)
		if err != nil {
			return nil, err
		}
		so.Host, so.Port = host, port
	}
	e := &embedded{o: so, warn: o.Warn}
	return e, e.start()
}

func splitListen(addr string) (string, int, error) {
	host, p, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("nats listen address %q must be host:port: %w", addr, err)
	}
	port, err := strconv.Atoi(p)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("nats listen address %q: the port must be a number up to 65535", addr)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

// start runs a server that has all the streams that are on disk. The caller holds
// mu, or is alone.
func (e *embedded) start() error {
	if e.stopped {
		return ErrClosed
	}
	e.started = time.Now()
	if err := access.Check(filepath.Join(e.o.StoreDir, server.JetStreamStoreDir)); err != nil {
		return fmt.Errorf("open the event stream: %w", err)
	}
	return keeping(e.o.StoreDir, "", e.run)
}

func (e *embedded) run() error {
	s, err := server.NewServer(e.o.Clone())
	if err != nil {
		return fmt.Errorf("make embedded NATS server: %w", err)
	}
	l := &logger{warn: e.warn}
	s.SetLoggerV2(l, false, false, false)
	s.Start()
	if l.isFatal() || !s.ReadyForConnections(readyTimeout) || !s.JetStreamEnabled() {
		s.Shutdown()
		s.WaitForShutdown()
		return fmt.Errorf("start embedded NATS server in %s: %w", e.o.StoreDir, l.reason())
	}
	e.current = s
	return nil
}

func (e *embedded) restart() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.halt()
	return e.start()
}

// reviveTime is the least time between two attempts to revive a server.
const reviveTime = 10 * time.Second

// revive restarts a server that does not acknowledge: after one failed write,
// be the disk full or not, JetStream refuses all others until it starts anew.
func (b *Broker) revive() {
	e := b.server
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped || time.Since(e.started) < b.reviveTime || b.room.check() != nil {
		return
	}
	e.warn("nats: the embedded server does not acknowledge: restarting it")
	e.halt()
	if err := e.start(); err != nil {
		e.warn("nats: " + err.Error())
	}
}

func (e *embedded) halt() {
	if e.current == nil {
		return
	}
	e.current.Shutdown()
	e.current.WaitForShutdown()
	e.current = nil
}

// stop reports whether the server was down within d.
func (e *embedded) stop(d time.Duration) bool {
	done := make(chan struct{})
	go func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.stopped = true
		e.halt()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-time.After(d):
		return false
	}
}

// InProcessConn implements nats.InProcessConnProvider.
func (e *embedded) InProcessConn() (net.Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil {
		return nil, errors.New("embedded NATS server is stopped")
	}
	return e.current.InProcessConn()
}

func (e *embedded) url() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil {
		return ""
	}
	return e.current.ClientURL()
}

// A logger passes the server's warnings on and remembers the last error, and
// whether the server gave up with it, such as over a busy port, or gave up a stream.
type logger struct {
	warn  func(string)
	mu    sync.Mutex
	last  string
	fatal bool
}

func (l *logger) say(format string, v ...any) {
	msg := strings.TrimSpace(fmt.Sprintf(format, v...))
	if strings.HasPrefix(msg, "Maximum payloads") {
		return // about our own setting, at every start
	}
	l.warn("nats: " + msg)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal {
		return
	}
	l.last = msg
	if strings.HasPrefix(msg, "Error recreating stream") { // and removed it: see keeping
		l.fatal, l.last = true, msg+": mend that, or put a copy of the folder back"
	}
}

func (l *logger) isFatal() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}

func (l *logger) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == "" {
		return fmt.Errorf("not ready after %s", readyTimeout)
	}
	return errors.New(l.last)
}

func (l *logger) Noticef(string, ...any)         {}
func (l *logger) Debugf(string, ...any)          {}
func (l *logger) Tracef(string, ...any)          {}
func (l *logger) Warnf(format string, v ...any)  { l.say(format, v...) }
func (l *logger) Errorf(format string, v ...any) { l.say(format, v...) }

func (l *logger) Fatalf(format string, v ...any) {
	l.say(format, v...)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fatal = true
}
