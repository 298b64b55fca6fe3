package api

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of one connection. Bodies and answers set deadlines of their own, by
// their pace.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = time.Minute
	writeTimeout      = time.Minute
	idleTimeout       = 2 * time.Minute
	maxHeader         = 64 << 10
	// refusalTime is for telling a connection that it is one too many.
	refusalTime = time.Second
	// maxRefusals bounds the connections that are told at a time.
	maxRefusals = 16
)

// A Server is an http.Server with limits on its clients. When there are as many
// connections as may be, the one that has been without a request for longest
// makes way for the next.
type Server struct {
	http.Server
	max       int
	refusals  refusals
	refusing  chan struct{}
	mu        sync.Mutex
	clients   map[net.Conn]*client
	waitingAt uint64 // counts up
}

// A client is a connection; waiting is 0 while a request of it is answered, else
// its place in the row of those that have none. headed says that the request's
// header came as a whole.
type client struct {
	waiting uint64
	headed  bool
}

// connection is the key under which a request's context has its connection.
type connection struct{}

// NewServer returns a server of what New made.
func NewServer(d Deps) *Server {
	s := &Server{
		Server: http.Server{
			ReadHeaderTimeout: readHeaderTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeader,
		},
		max:      d.Limits.withDefaults().Connections,
		refusals: newRefusals(d.Metrics),
		refusing: make(chan struct{}, maxRefusals),
		clients:  make(map[net.Conn]*client),
	}
	s.ConnState = s.follow
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connection{}, c) }
	h := New(d)
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.head(r)
		h.ServeHTTP(w, r)
	})
	d.Metrics.GetOrCreateGauge("tidewatch_http_connections", func() float64 {
		s.mu.Lock()
		defer s.mu.Unlock()
		return float64(len(s.clients))
	})
	return s
}

// Serve answers on the listener until the server is closed.
func (s *Server) Serve(l net.Listener) error { return s.Server.Serve(door{l, s}) }

// A door lets connections in as long as there is room.
type door struct {
	net.Listener
	s *Server
}

func (d door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if d.s.admit(c) {
			return c, nil
		}
		d.s.refuse(c)
	}
}

// admit counts a connection in; false when there are too many and none waits.
func (s *Server) admit(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.clients) >= s.max {
		var longest net.Conn
		for other, client := range s.clients {
			if client.waiting != 0 && (longest == nil || client.waiting < s.clients[longest].waiting) {
				longest = other
			}
		}
		if longest == nil {
			return false
		}
		s.refusals[limitSilent].Inc()
		delete(s.clients, longest)
		_ = longest.Close() // nobody waits for an answer on it
	}
	s.waitingAt++
	s.clients[c] = &client{waiting: s.waitingAt}
	return true
}

// follow keeps track of which connections wait for a request.
func (s *Server) follow(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	client := s.clients[c]
	if client == nil {
		return
	}
	switch state {
	case http.StateActive:
		client.waiting = 0
	case http.StateIdle:
		s.waitingAt++
		client.waiting, client.headed = s.waitingAt, false
	case http.StateClosed, http.StateHijacked:
		if client.waiting == 0 && !client.headed { // there was some of it
			s.refusals[limitHeader].Inc()
		}
		delete(s.clients, c)
	}
}

// head notes that a request's header is in.
func (s *Server) head(r *http.Request) {
	c, _ := r.Context().Value(connection{}).(net.Conn)
	s.mu.Lock()
	defer s.mu.Unlock()
	if client := s.clients[c]; client != nil {
		client.headed = true
	}
}

// refuse tells a connection that there are too many, as far as few are told at
// a time, and closes it.
func (s *Server) refuse(c net.Conn) {
	s.refusals[limitConnections].Inc()
	select {
	case s.refusing <- struct{}{}:
	default:
		_ = c.Close()
		return
	}
	go func() {
		defer func() { <-s.refusing }()
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(refusalTime))
		e := Unavailable("%d connections are open and busy, which is the most: close some, or raise limits.connections", s.max)
		body := appendFailure(nil, e)
		_, _ = c.Write(append([]byte("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"), body...))
		if half, ok := c.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		// What is sent in the meantime must be read, or its sender sees a reset
		// in the place of the answer.
		_, _ = c.Read(make([]byte, maxHeader))
	}()
}
