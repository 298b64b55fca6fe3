package robot

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/alerts/delivery/message"
	"github.com/tidewatch/tidewatch/alerts/reason"
)

// A Fault is why a robot did not take a message, which it may say with any status.
type Fault struct {
	Robot string
	// Code and Says are the robot's.
	Code int
	Says string
	// Remedy has no code where nothing is known of the robot's.
	Remedy reason.Reason
	// Refused is set if the robot will not take it as things are; Content if that can be
	// for what the message says.
	Refused, Content bool
	// Pause is how long the robot is left alone, since it got too many.
	Pause time.Duration
}

func (f *Fault) Error() string { return reason.Text(f.Reasons()) }

// Reasons are what it answered, and what to do about it.
func (f *Fault) Reasons() []reason.Reason {
	answered, args := reason.Robot, reason.Args{"robot": f.Robot, "status": f.Code}
	if f.Says != "" {
		answered, args["error"] = reason.RobotExplained, f.Says
	}
	if f.Remedy.Code == "" {
		return []reason.Reason{answered.Of(args)}
	}
	return []reason.Reason{answered.Of(args), f.Remedy}
}

// A fault is what a code means.
type fault struct {
	kind   kind
	remedy reason.Reason
	// A code that has a second meaning has it if the robot says so.
	ifSays string
	then   kind
}

type kind uint8

const (
	content kind = iota // as any code that is not known
	robot               // it takes nothing as it is
	limited             // it got too many
	busy                // it may take the same later
)

// keyWord is the word that all messages have, for a robot that asks for one.
var keyWord = reason.Args{"word": message.Sender}

// An answer is what robots say: Feishu's once said StatusCode, and some of its addresses
// do.
type answer struct {
	Code       *int   `json:"code"`
	StatusCode *int   `json:"StatusCode"`
	ErrCode    *int   `json:"errcode"`
	Msg        string `json:"msg"`
	Status     string `json:"StatusMessage"`
	ErrMsg     string `json:"errmsg"`
}

// Read reads an answer. Whether it took the message is not known of what no robot says,
// and of a fault there is one.
func (r *Robot) Read(body []byte) (took bool, err error) {
	var a answer
	if json.Unmarshal(body, &a) != nil {
		return false, nil
	}
	code, says := a.ErrCode, a.ErrMsg
	if r.Kind == Feishu {
		if code, says = a.Code, a.Msg; code == nil {
			code, says = a.StatusCode, a.Status
		}
	}
	switch {
	case code == nil:
		return false, nil
	case *code == 0:
		return true, nil
	}
	return false, r.fault(*code, says)
}

func (r *Robot) fault(code int, says string) *Fault {
	p := protocols[r.Kind]
	known := p.faults()[code]
	what := known.kind
	if known.ifSays != "" && strings.Contains(strings.ToLower(says), known.ifSays) {
		what = known.then
	}
	f := &Fault{Robot: p.String(), Code: code, Says: says, Remedy: known.remedy, Refused: what == content || what == robot, Content: what == content}
	if what == limited {
		f.Pause = p.limits().Pause
	}
	return f
}
