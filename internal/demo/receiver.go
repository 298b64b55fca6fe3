package demo

import (
	_ "embed"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

// kept is the number of bodies that the receiver remembers.
const kept = 100

//go:embed receiver.html
var receiverPage []byte

// A Receiver takes webhooks at /webhook and shows their bodies at /, the newest
// first.
type Receiver struct {
	mux    *http.ServeMux
	mu     sync.Mutex
	bodies []Body // newest first
}

// A Body is a webhook as it came.
type Body struct {
	At   time.Time       `json:"at"`
	Body json.RawMessage `json:"body"`
}

// NewReceiver returns a receiver without bodies.
func NewReceiver() *Receiver {
	r := &Receiver{mux: http.NewServeMux(), bodies: []Body{}}
	r.mux.HandleFunc("POST /webhook", r.take)
	r.mux.HandleFunc("GET /bodies", r.list)
	r.mux.HandleFunc("GET /{$}", r.page)
	return r
}

// ServeHTTP serves the webhook and the page.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) { r.mux.ServeHTTP(w, req) }

func (r *Receiver) take(w http.ResponseWriter, req *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 1<<20))
	if err != nil || !json.Valid(data) {
		http.Error(w, "the body must be JSON of at most 1 MiB", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies = append([]Body{{time.Now().UTC(), data}}, r.bodies[:min(len(r.bodies), kept-1)]...)
}

func (r *Receiver) list(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	bodies := r.bodies
	r.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(bodies) // fails when the client has gone
}

func (r *Receiver) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'")
	w.Write(receiverPage)
}
