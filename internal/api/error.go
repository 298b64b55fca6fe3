package api

import (
	"fmt"
	"net/http"
)

// A Kind is the errorType of an answer.
type Kind string

// The kinds.
const (
	KindBadData     Kind = "bad_data"
	KindForbidden   Kind = "forbidden"
	KindNotFound    Kind = "not_found"
	KindTooLarge    Kind = "too_large"
	KindRateLimited Kind = "rate_limited"
	KindInternal    Kind = "internal"
	KindUnavailable Kind = "unavailable"
	KindExecution   Kind = "execution"
	KindTimeout     Kind = "timeout"
	KindCanceled    Kind = "canceled"
)

var statuses = map[Kind]int{
	KindBadData:     http.StatusBadRequest,
	KindForbidden:   http.StatusForbidden,
	KindNotFound:    http.StatusNotFound,
	KindTooLarge:    http.StatusRequestEntityTooLarge,
	KindRateLimited: http.StatusTooManyRequests,
	KindInternal:    http.StatusInternalServerError,
	KindUnavailable: http.StatusServiceUnavailable,
	KindExecution:   http.StatusUnprocessableEntity,
	KindTimeout:     http.StatusServiceUnavailable,
	KindCanceled:    http.StatusServiceUnavailable,
}

// An Error is an error that the asker is told: the value, the rule, the remedy.
type Error struct {
	Kind Kind
	Msg  string
	// Status overrides the status that goes with the kind.
	Status int
}

func (e *Error) Error() string { return e.Msg }

func (e *Error) status() int {
	if e.Status != 0 {
		return e.Status
	}
	return statuses[e.Kind]
}

// BadData is the asker's mistake: 400.
func BadData(format string, args ...any) *Error { return newError(KindBadData, format, args) }

// NotFound is for what does not exist or is no longer kept: 404.
func NotFound(format string, args ...any) *Error { return newError(KindNotFound, format, args) }

// TooLarge is for a body beyond its limit: 413.
func TooLarge(format string, args ...any) *Error { return newError(KindTooLarge, format, args) }

// RateLimited asks to come back later because something is full: 429.
func RateLimited(format string, args ...any) *Error { return newError(KindRateLimited, format, args) }

// Unavailable asks to come back later because something is not up: 503.
func Unavailable(format string, args ...any) *Error { return newError(KindUnavailable, format, args) }

func newError(kind Kind, format string, args []any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...)}
}
