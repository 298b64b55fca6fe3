// Package reason has the words of the service for why rules are in their states and
// notifications not delivered: in English, and as codes for whoever words them in a language
// of their own. The live page does, in its strings.ts.
package reason

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Reason is why something is as it is.
type Reason struct {
	Code string `json:"code"`
	Args Args   `json:"args"`
	// Text says it in English.
	Text string `json:"-"`
}

// Args are what a Reason names: numbers, a time in RFC 3339, a length of time such as "2m5s",
// and what others have said.
type Args map[string]any

// A kind of Reason has a code and a text, in which {name} stands for one of its Args. Before
// "|" is what it says where count is 1.
type kind struct{ code, text string }

// Why a rule is in its state.
var (
	Fires        = kind{"fires", "1 of its series fires|{count} of its series fire"}
	HoldsBriefly = kind{"holds_briefly", "the condition holds of {count} series, for less than {length}"}
	HoldsNot     = kind{"holds_not", "the condition does not hold"}
	PartlyJudged = kind{"partly_judged", "the condition does not hold; {count} of {of} series cannot be judged"}
	NoResult     = kind{"no_result", "the expression has no result"}
	Zero         = kind{"zero", "nothing is counted: 0"}
	Unseen       = kind{"unseen", "none of its series has been there yet: what has not been is not judged"}
	NotEvaluated = kind{"not_evaluated", "it is not evaluated yet"}
	Unevaluable  = kind{"unevaluable", "it cannot be evaluated: {error}"}
	Nothing      = kind{"nothing", "nothing is in the windows of its series"}
	TooFew       = kind{"too_few", "no series has a value that rests on {least} or more"}
	NoValue      = kind{"no_value", "no series has a value"}
	Mixed        = kind{"mixed", "its series are in several currencies, which are not added up: judge a breakdown by currency where one is kept, or define a KPI whose filter names one currency"}
	Backlog      = kind{"backlog", "judged up to {time}, {length} behind the clock: 1 message waits in the stream|judged up to {time}, {length} behind the clock: {count} messages wait in the stream"}
	Paused       = kind{"paused", "judged up to {time}, {length} behind the clock"}
	Memory       = kind{"memory", "memory_budget of {budget} MiB is spent ({used} MiB are in use): raise it, or shorten lateness and windows"}
	Disk         = kind{"disk", "no room on disk: {free} MiB free at {dir}, {needed} MiB needed: make room"}
	Halted       = kind{"halted", "judged up to {time}, {length} behind the clock: time does not go on, by events or without them: see /-/ready and the log"}
	EventsOld    = kind{"events_old", "judged up to {time}, {length} behind the clock: the newest event was that old when it came, and time goes on from it"}
	Silent       = kind{"silent", "no event has been counted for {length}"}
)

// Why an alert is over that no rule has decided so, as the annotation resolved_because says it.
const (
	RuleGone      = "its rule is gone"
	OtherSeries   = "its rule is no longer about this series"
	NoRuleFires   = "after a restart no rule has it fire"
	Overturned    = "late events show that it should not have fired"
	OtherCurrency = "its series is in another currency"
	// NoValueLeft and NoAmountLeft, of money, are of one whose expression compares what has no value any more.
	NoValueLeft  = "its expression has no result any more: what it compares is null"
	NoAmountLeft = "its expression has no result any more: what it compares is null, with nothing in the window or several currencies"
	EndUnseen    = "its end was not seen"
)

// Why a notification is not delivered. Said has the words of others.
var (
	Superseded = kind{"superseded", "superseded by a newer state"}
	Dropped    = kind{"dropped", "dropped"}
	GivenUp    = kind{"given_up", "given up after {days} days"}
	Gone       = kind{"gone", "receiver {receiver} is no longer configured: configure it again and resend this, or drop it"}
	Damaged    = kind{"damaged", "the outbox entry is damaged"}
	NoURL      = kind{"no_url", "the address is no URL"}
	NoAddress  = kind{"no_address", "the address is a template that gives an error, or no URL: correct it, tidewatch check says where"}
	Limited    = kind{"limited", "it is sent no more messages than it takes: try again in {length}"}
	NoAnswer   = kind{"no_answer", "no answer within {length}"}
	Unanswered = kind{"unanswered", "{count} earlier attempts have had no answer: the server takes connections and says nothing"}
	Refused    = kind{"refused", "{error}: start what listens there, or correct the address"}
	Answered   = kind{"answered", "answered {status}"}
	Explained  = kind{"explained", "answered {status}: {error}"}
	Redirected = kind{"redirected", "answered {status}: redirects are followed only on the same host and with the same method: give the final address"}
	NoRobot    = kind{"no_robot", "answered {status}, but not as a robot of {robot} does: correct the url"}
	Said       = kind{"said", "{error}"}
)

// What the robot of a chat answered, and what to do about it.
var (
	Robot          = kind{"robot", "{robot} answered {status}"}
	RobotExplained = kind{"robot_explained", "{robot} answered {status} ({error})"}
	WrongURL       = kind{"wrong_url", "correct the url"}
	WrongSecret    = kind{"wrong_secret", "correct the secret, or this machine's clock"}
	WrongSecurity  = kind{"wrong_security", "correct the secret, or this machine's clock; or give the robot the key word {word}, which all messages have; or allow this machine's address in the robot's settings"}
	NotAllowed     = kind{"not_allowed", "allow this machine's address in the robot's settings"}
	NoKeyWord      = kind{"no_key_word", "give the robot the key word {word}, which all messages have"}
	NoGroup        = kind{"no_group", "the group is no more: name a robot of another one"}
	Disabled       = kind{"disabled", "have the robot enabled"}
	Removed        = kind{"removed", "add the robot to the group again"}
)

// Of is the Reason of that kind with these Args.
func (k kind) Of(args Args) Reason {
	text := k.text
	if one, several, ok := strings.Cut(text, "|"); ok {
		if text = several; fmt.Sprint(args["count"]) == "1" {
			text = one
		}
	}
	var places []string
	for name, value := range args {
		places = append(places, "{"+name+"}", fmt.Sprint(value))
	}
	return Reason{k.code, args, strings.NewReplacer(places...).Replace(text)}
}

// Is reports whether an error is a Reason of that kind.
func (k kind) Is(err error) bool {
	r, ok := errors.AsType[Reason](err)
	return ok && r.Code == k.code
}

// Alone is the Reason of a kind that names nothing.
func (k kind) Alone() Reason { return k.Of(Args{}) }

// Error is what it says in English.
func (r Reason) Error() string { return r.Text }

// Reasons are those that the error has: itself.
func (r Reason) Reasons() []Reason { return []Reason{r} }

// reasoned is an error that has reasons.
type reasoned interface {
	error
	Reasons() []Reason
}

// Of is what an error says: of its own, if it has reasons.
func Of(err error) []Reason {
	if r, ok := errors.AsType[reasoned](err); ok {
		return r.Reasons()
	}
	return []Reason{Said.Of(Args{"error": err.Error()})}
}

// leading are the codes of reasons behind which stands what they come from, or what to do.
var leading = []string{Paused.code, Superseded.code, GivenUp.code, Robot.code, RobotExplained.code}

// Text joins what reasons say in English.
func Text(reasons []Reason) string {
	var b strings.Builder
	for i, r := range reasons {
		if i > 0 {
			b.WriteString(joint(reasons[i-1]))
		}
		b.WriteString(r.Text)
	}
	return b.String()
}

// joint stands between a reason and the next one.
func joint(r Reason) string {
	if slices.Contains(leading, r.Code) {
		return ": "
	}
	return "; "
}
