package kpi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

// Funnel is an operator that follows users through steps. A funnel of a user, and of
// each value of the field that is held, opens with an event that is the first step when
// none is open, and lasts for Window, an event at that instant being behind it; or until
// all steps are reached. Events of one instant go in the order of their steps, and one
// that passes the filters of several steps is the first of these.
//
// Its facts have a field "fact", one of FunnelFacts. They are of the business day on
// which the funnel opened, and tell something of a user, and value, once for all funnels
// that opened on that day, with the texts of the event by which the first of them opened:
//
//	reached    step: a step is reached; since_first_ms, since_previous_ms
//	possible   step, from the second on: it is the next one to be reached; in any
//	           order, all of them as the funnel opens
//	entered    a funnel opens
//	completed  all steps of one funnel are reached; since_first_ms
//
// The first step has no since_previous_ms.
type Funnel struct {
	Steps []Step
	// Where is what an event is that is looked at, nil for every one.
	Where  *Expr
	Window time.Duration
	Mode   FunnelMode
	// Hold is the field that is the same in all steps, "" for none. Events without it
	// have that in common.
	Hold string
}

// A Step is one of a funnel.
type Step struct {
	Name  string
	Where *Expr
}

// FunnelMode is which events of a funnel reach a step.
type FunnelMode uint8

// The modes.
const (
	Sequential FunnelMode = iota // one of the next step
	Strict                       // the same, as long as there was none of a step beyond
	AnyOrder                     // one of any step
)

var funnelModes = []string{"sequential", "strict", "any"}

// FunnelFacts are the kinds of facts of Funnel.
var FunnelFacts = []string{"reached", "possible", "entered", "completed"}

// MaxFunnels is how many values of what is held are known of a user at a time; of more
// that by which a funnel opened longest ago is forgotten.
const MaxFunnels = 100

// Fields of the facts of Funnel.
const (
	StepField          = "step"
	SinceFirstField    = "since_first_ms"
	SincePreviousField = "since_previous_ms"
)

// Follows implements Journey: an event is a step.
func (f *Funnel) Follows() (out []Followed) {
	for _, step := range f.Steps {
		out = append(out, Followed{Where: narrow(f.Where, step.Where)})
	}
	return out
}

// Key implements Journey.
func (f *Funnel) Key() []string {
	if f.Hold == "" {
		return nil
	}
	return []string{f.Hold}
}

// FactNames implements Journey.
func (f *Funnel) FactNames() []string { return FunnelFacts }

// Horizon implements Journey. Within the window clocks may be set forward.
func (f *Funnel) Horizon() int {
	return min(daysOf(f.Window+time.Hour), maxHorizon)
}

func (f *Funnel) kinds() factKinds {
	var names []string
	for _, step := range f.Steps {
		names = append(names, step.Name)
	}
	later := daysOf(f.Window)
	return factKinds{
		"reached":   {counted: true, fields: map[string][]string{StepField: names}, numbers: []string{SinceFirstField, SincePreviousField}, later: later},
		"possible":  {counted: true, fields: map[string][]string{StepField: names[1:]}, later: later},
		"entered":   {counted: true},
		"completed": {counted: true, numbers: []string{SinceFirstField}, later: later},
	}
}

func (f *Funnel) meaning() string {
	var steps strings.Builder
	for _, step := range f.Steps {
		fmt.Fprintf(&steps, "; %s: %s", step.Name, step.Where)
	}
	return fmt.Sprintf("funnel(window %s; %s; hold %s%s; %s)", FormatLength(f.Window), funnelModes[f.Mode], f.Hold, steps.String(), f.Where)
}

// Bounds of a funnel.
const (
	minSteps = 2
	maxSteps = 20

	minFunnelWindow     = time.Minute
	defaultFunnelWindow = 7 * day
	maxFunnelWindow     = maxHorizon * day
)

func readFunnel(n document.Node) Journey {
	m := n.Mapping("steps", "where", "window", "mode", "hold")
	f := &Funnel{Where: readWhere(m), Window: readLength(m, "window", minFunnelWindow, maxFunnelWindow, defaultFunnelWindow)}
	f.readSteps(m)
	if at, ok := m.Get("mode"); ok {
		if mode := slices.Index(funnelModes, at.Value()); mode < 0 {
			at.Fail(at.Shown(), "is no mode", "give one of "+strings.Join(funnelModes, ", "))
		} else {
			f.Mode = FunnelMode(mode)
		}
	}
	if at, ok := m.Get("hold"); ok {
		f.readHold(at)
	}
	return f
}

func (f *Funnel) readSteps(m document.Mapping) {
	at, ok := m.Get("steps")
	if !ok {
		for _, name := range []string{"impression", "click", "add_to_cart", "order", "pay"} {
			f.Steps = append(f.Steps, Step{name, textIs("type", name)})
		}
		return
	}
	items := at.Items()
	if at.Null() || at.List() && (len(items) < minSteps || len(items) > maxSteps) {
		at.Fail(fmt.Sprintf("a list of %d", len(items)), "is out of range", fmt.Sprintf("give %d to %d steps", minSteps, maxSteps))
	}
	for i, item := range items {
		step := readStep(item, i)
		if slices.ContainsFunc(f.Steps, func(s Step) bool { return s.Name == step.Name }) {
			item.Fail(step.Name, "is the name of two steps", "rename one")
		}
		if i := slices.IndexFunc(f.Steps, func(s Step) bool { return s.Where.String() == step.Where.String() }); i >= 0 && step.Where != nil {
			item.Warn(step.Where.String(), fmt.Sprintf("is step %s, too, and an event is the first step that it passes: this one is never reached", f.Steps[i].Name), "take one of them out, or tell them apart")
		}
		f.Steps = append(f.Steps, step)
	}
	for len(f.Steps) < minSteps { // what is wrong with them was said
		f.Steps = append(f.Steps, Step{Name: strconv.Itoa(len(f.Steps) + 1)})
	}
}

// readStep reads the i-th step: a filter, or one with a name.
func readStep(n document.Node, i int) Step {
	s := Step{Name: strconv.Itoa(i + 1)}
	if !n.Mapped() {
		if text := n.Text(); text != "" {
			e, err := ParseExpr(text)
			if err != nil {
				n.FailWith(err)
				return s
			}
			s.Where = e
			misspeltIn(n, e)
		}
		return s
	}
	m := n.Mapping("name", "where")
	if at, ok := m.Get("name"); ok {
		name := at.Text()
		switch {
		case name == "":
		case !kpiName.MatchString(name) || len(name) > 64:
			at.Fail(strconv.Quote(name), "is no name of a step", "use a-z, 0-9 and _, a letter first, at most 64")
		default:
			s.Name = name
		}
	}
	if s.Where = readWhere(m); !m.Has("where") {
		m.Missing("says not which events it is", "add where: 'type == \"click\"'")
	}
	return s
}

func (f *Funnel) readHold(n document.Node) {
	switch field := n.Text(); {
	case field == "":
	case field == "user_id" || field == "anonymous_id":
		n.Fail(field, "is the same in all steps anyway", "leave it out: a funnel is one of a user")
	case identity(field) || number(field) || field == "type":
		n.Fail(field, "cannot be held", "name a text field such as content_id, or a property")
	default:
		misspelt(n, field)
		f.Hold = field
	}
}
