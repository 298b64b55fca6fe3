// Package chats has the other end of chat robots, for tests: servers that speak the
// protocols of Feishu, DingTalk and WeCom, with their signatures, limits and errors. It
// shares nothing with what speaks to them.
package chats

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"
)

// A Message is what a robot has shown in its group.
type Message struct {
	At          time.Time
	Title, Text string
	// Colour is that of the title, as the protocol calls it, "" where it has none.
	Colour string
	// Mentioned are the people whom it mentions, "all" for everybody.
	Mentioned []string
}

// A Server is a group with a robot.
type Server struct {
	// Token is in the robot's address, and Secret what requests are signed with, if it is
	// given.
	Token, Secret string
	// Refuse, if there is one, answers instead where it has a status.
	Refuse func(m Message) (status int, answer string)

	speaks  dialect
	mu      sync.Mutex
	arrived []time.Time
	deaf    time.Time // until then it takes nothing
	shown   []Message
	limited int
}

// A dialect is the protocol of one product.
type dialect interface {
	address(token string) string
	// token is that of a request.
	token(r *http.Request) string
	read(r *http.Request, body []byte) (m Message, timestamp, sign string, problem any)
	signed(timestamp, sign, secret string, now time.Time) bool
	unsigned() any
	unknown() any
	// spans are in which time so many messages are taken; beyond that it is deaf for a
	// while.
	spans() []span
	deafness() time.Duration
	tooMany() (status int, answer any)
	took() any
}

type span struct {
	most int
	in   time.Duration
}

// Feishu is a group of Feishu or Lark.
func Feishu(token, secret string) *Server {
	return &Server{Token: token, Secret: secret, speaks: feishu{}}
}

// DingTalk is a group of DingTalk.
func DingTalk(token, secret string) *Server {
	return &Server{Token: token, Secret: secret, speaks: dingtalk{}}
}

// WeCom is a group of WeCom.
func WeCom(key string) *Server { return &Server{Token: key, speaks: wecom{}} }

// Address is that of the robot, behind the server's.
func (s *Server) Address() string { return s.speaks.address(s.Token) }

// ServeHTTP takes a message.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	status, answer := s.take(r, body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if text, ok := answer.(string); ok {
		_, _ = io.WriteString(w, text)
		return
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (s *Server) take(r *http.Request, body []byte) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if r.Method != http.MethodPost || s.speaks.token(r) != s.Token {
		return http.StatusOK, s.speaks.unknown()
	}
	m, timestamp, sign, problem := s.speaks.read(r, body)
	switch {
	case problem != nil:
		return http.StatusOK, problem
	case s.Secret != "" && !s.speaks.signed(timestamp, sign, s.Secret, now):
		return http.StatusOK, s.speaks.unsigned()
	case !s.room(now):
		s.limited++
		return s.speaks.tooMany()
	}
	if s.Refuse != nil {
		if status, answer := s.Refuse(m); status != 0 {
			return status, answer
		}
	}
	m.At = now
	s.shown = append(s.shown, m)
	return http.StatusOK, s.speaks.took()
}

// room reports whether one more message is within the limits.
func (s *Server) room(now time.Time) bool {
	if now.Before(s.deaf) {
		return false
	}
	s.arrived = append(s.arrived, now)
	for _, span := range s.speaks.spans() {
		n := 0
		for _, at := range slices.Backward(s.arrived) {
			if now.Sub(at) >= span.in {
				break
			}
			n++
		}
		if n > span.most {
			s.deaf = now.Add(s.speaks.deafness())
			return false
		}
	}
	return true
}

// Shown are the messages in the group so far.
func (s *Server) Shown() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.shown)
}

// Limited is how often there were too many messages.
func (s *Server) Limited() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limited
}

// Renew has the robot at another address, with another secret.
func (s *Server) Renew(token, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Token, s.Secret = token, secret
}

// RoundTrip takes a message without a network.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}
