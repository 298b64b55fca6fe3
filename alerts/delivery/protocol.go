package delivery

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// A protocol is how an integration is spoken to.
type protocol interface {
	// limits are how often.
	limits() limits
	// together is how many of the notifications, from the first on, go into one message.
	together(batch []*entry) int
	// post tries once to deliver them.
	post(ctx context.Context, g *Integration, batch []*entry, now time.Time) attempt
}

// A codec writes what is posted and reads what is answered.
type codec interface {
	// request is what is posted of so many, signed by the secret if there is one. Times
	// that people read are in now's zone.
	request(batch []*entry, secret string, now time.Time) (*request, error)
	// read says how an attempt ended, if the answer itself says so rather than its status.
	// What of it is to be told, tell makes fit to be.
	read(resp *http.Response, answer []byte, tell func(string) string) (a attempt, said bool)
}

// A request is what is posted, beside the address and the type of the body.
type request struct {
	query  url.Values // added to that of the address
	header http.Header
	body   []byte
	// fill fills in an address that is a template; nil where none is.
	fill func(address string) (string, error)
	// private is what nobody is to be told of it.
	private []string
}

// limits are how often a receiver takes a message: burst at once, and then one every.
// Without any notifications are never put together.
type limits struct {
	burst int
	every time.Duration
}
