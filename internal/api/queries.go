package api

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// maxPoints bounds the points of one series in a range.
const maxPoints = 11_000

// queries answers what the engine knows.
type queries struct {
	engine Engine
	reads  *reads
}

// A definition is a KPI as GET /api/v1/kpis shows it.
type definition struct {
	Name        string       `json:"name"`
	Title       kpi.Text     `json:"title"`
	Description kpi.Text     `json:"description"`
	Group       kpi.Text     `json:"group"`
	Place       int          `json:"place"`
	Unit        kpi.Unit     `json:"unit"`
	Definition  string       `json:"definition"`
	By          [][]string   `json:"by"`
	Windows     []string     `json:"windows"`
	Top         int          `json:"top"`
	Ratio       bool         `json:"ratio"`
	Targets     *kpi.Targets `json:"targets,omitempty"`
	// Of facts: the operator, also beside events; the fields that every breakdown tells
	// apart, and what each can be, in the operator's order; for how many days a day is
	// open after it is over, and by which number it says how mature it is; whether it has
	// no value before then.
	From      string              `json:"from,omitempty"`
	Also      string              `json:"also,omitempty"`
	Split     []string            `json:"split,omitempty"`
	Texts     map[string][]string `json:"texts,omitempty"`
	Horizon   int                 `json:"horizon,omitempty"`
	Maturity  string              `json:"maturity,omitempty"`
	FinalOnly bool                `json:"final_only,omitempty"`
}

func (q *queries) list(r *http.Request) (answer, error) {
	if err := takes(r); err != nil {
		return answer{}, err
	}
	catalogue := q.engine.Catalogue()
	list := make([]definition, len(catalogue.KPIs))
	for i, k := range catalogue.KPIs {
		d := definition{
			Name: k.Name, Title: k.Title, Description: k.Description, Group: k.Group, Place: k.Place, Unit: k.Unit,
			Definition: k.ID, By: [][]string{}, Windows: []string{}, Top: k.Top, Ratio: k.Ratio(), Targets: k.Targets,
			Split: k.Split, Texts: map[string][]string{}, Horizon: k.Horizon, FinalOnly: k.FinalOnly,
		}
		for _, field := range k.Split {
			d.Texts[field] = k.SplitTexts(field)
		}
		if k.Also != nil {
			d.Also = k.Also.Name
		}
		if k.Maturity != nil {
			d.Maturity = k.Maturity.Taken()
		}
		if k.From != nil {
			d.From = k.From.Name
		}
		for _, set := range k.By {
			d.By = append(d.By, append([]string{}, set...))
		}
		for _, w := range k.Windows {
			d.Windows = append(d.Windows, w.String())
		}
		list[i] = d
	}
	return answer{data: list}, nil
}

// maxAsked is how many KPIs a request can ask for.
const maxAsked = 20

// find is the KPIs of a request, once there is something to ask.
func (q *queries) find(r *http.Request) ([]*kpi.KPI, error) {
	catalogue := q.engine.Catalogue()
	var out []*kpi.KPI
	for name := range strings.SplitSeq(r.PathValue("name"), ",") {
		k := catalogue.KPI(name)
		if k == nil {
			names := make([]string, len(catalogue.KPIs))
			for i, k := range catalogue.KPIs {
				names[i] = k.Name
			}
			return nil, NotFound("KPI %q does not exist: %s", name, spelling.Meant(spelling.Nearest(name, names), "GET /api/v1/kpis lists those that do"))
		}
		if slices.Contains(out, k) {
			return nil, BadData("%s is asked for twice: name it once", name)
		}
		if out = append(out, k); len(out) > maxAsked {
			return nil, BadData("more than %d KPIs are asked for: ask in several requests", maxAsked)
		}
	}
	if err := q.engine.Ready(); err != nil {
		return nil, Unavailable("%v", err)
	}
	return out, nil
}

// A part is the answer about one of the KPIs of a request.
type part interface {
	writer
	table
	values() int
	tag(h *xxh3.Hasher) (complete bool)
}

// A question is what a request asks about one of its KPIs.
type question struct {
	*selection
	order ordering
	with  []kpi.Comparison
}

// question reads what is asked about a KPI; times are the parameters that say of when.
func (q *queries) question(r *http.Request, k *kpi.KPI, times []string) (*question, error) {
	s, err := selectFrom(r.URL.Query(), k, clockOf(q.engine), slices.Concat(times, orderParameters, []string{"compare", "format", "lang"})...)
	if err != nil {
		return nil, err
	}
	out := &question{selection: s}
	if out.order, err = s.readOrder(); err != nil {
		return nil, err
	}
	out.with, err = s.readCompare()
	return out, err
}

// each answers about the KPIs of a request, one by one.
func (q *queries) each(r *http.Request, times []string, one func(*question) (part, *reading, []string, error)) (got answer, err error) {
	asked, err := q.find(r)
	if err != nil {
		return answer{}, err
	}
	as, err := formatOf(r)
	if err != nil {
		return answer{}, err
	}
	in, err := languageOf(r, as)
	if err != nil {
		return answer{}, err
	}
	var shares readings
	defer func() {
		if err != nil {
			shares.done()
		}
	}()
	var parts several
	for _, k := range asked {
		about, err := q.question(r, k, times)
		if err != nil {
			return answer{}, err
		}
		p, share, warnings, err := one(about)
		if share != nil {
			shares = append(shares, share)
		}
		if err != nil {
			return answer{}, err
		}
		share.holds(int64(p.values()))
		parts = append(parts, p)
		for _, w := range warnings {
			if !slices.Contains(got.warnings, w) {
				got.warnings = append(got.warnings, w)
			}
		}
	}
	got.data, got.tag, got.done = parts, parts.tag(as, in, got.warnings), shares.done
	if got.as, got.in = as, in; as == asJSON && len(parts) == 1 {
		got.data = parts[0]
	}
	return got, nil
}

func (q *queries) sample(r *http.Request) (answer, error) {
	return q.each(r, []string{"at"}, func(s *question) (part, *reading, []string, error) {
		at, err := s.instant("at", true)
		if err != nil {
			return nil, nil, nil, err
		}
		share, err := q.reads.start(r.Context(), s.series()*int64(1+len(s.with)))
		if err != nil {
			return nil, nil, nil, err
		}
		a, err := q.engine.Query(r.Context(), Query{KPI: s.kpi, Window: s.window, By: s.by, Match: s.match, At: at})
		if err != nil {
			return nil, share, nil, err
		}
		s.filters.samples(a)
		warnings := slices.Concat(a.Warnings, flags(a), s.filters.missing(a.By, func(yield func([]string) bool) {
			for i := range a.Samples {
				if !yield(a.Samples[i].Labels) {
					return
				}
			}
		}))
		out := &sampleJSON{Answer: a, limited: s.order.pages}
		out.next = s.order.samples(a)
		var more []string
		out.compared, more, err = q.compare(r.Context(), s, a)
		return out, share, append(warnings, more...), err
	})
}

// flags are the warnings that the answer itself gives cause for.
func flags(a *sample.Answer) []string {
	var warnings []string
	if a.Start.After(a.AsOf) {
		remedy := "ask for an earlier at"
		if !a.Window.IsDay() && a.KPI.Keeps(kpi.Day) {
			remedy += ", or for a whole day with window=day"
		}
		warnings = append(warnings, fmt.Sprintf("the window begins after %s, as far as events reach: %s", rfc3339(a.AsOf), remedy))
	}
	var mixed, above, thin int
	for i := range a.Samples {
		switch s := &a.Samples[i]; {
		case s.Mixed:
			mixed++
		case !s.Null && a.KPI.Share() && a.KPI.Unit == kpi.UnitPercent && s.Numerator.Float() > s.Denominator.Float():
			above++
		case !s.Null && a.KPI.Difference && s.N(a.KPI) < sample.Thin:
			thin++
		}
	}
	if mixed > 0 {
		warnings = append(warnings, fmt.Sprintf("%s is null in %d series that hold several currencies: %s", a.KPI.Name, mixed, a.KPI.Apart(a.By, "ask by=%s")))
	}
	if above > 0 {
		why := "what it divides by lies outside the window"
		if a.KPI.From != nil {
			why = "it counts what is not among what it divides by"
		}
		warnings = append(warnings, fmt.Sprintf("%s exceeds 1 in %d series: %s", a.KPI.Name, above, why))
	}
	if thin > 0 {
		warnings = append(warnings, fmt.Sprintf("%s rests on fewer than %d in %d series: too few to say much, see low and high", a.KPI.Name, sample.Thin, thin))
	}
	return warnings
}

func (q *queries) series(r *http.Request) (answer, error) {
	return q.each(r, []string{"from", "to", "step"}, func(s *question) (part, *reading, []string, error) {
		asked := RangeQuery{KPI: s.kpi, Window: s.window, By: s.by, Match: s.match}
		var err error
		if asked.From, err = s.instant("from", false); err != nil {
			return nil, nil, nil, err
		}
		if asked.To, err = s.instant("to", true); err != nil {
			return nil, nil, nil, err
		}
		if asked.Step, err = s.step(); err != nil {
			return nil, nil, nil, err
		}
		points, err := q.points(asked)
		if err != nil {
			return nil, nil, nil, err
		}
		share, err := q.startRange(r.Context(), s.selection, &asked, points)
		if err != nil {
			return nil, nil, nil, err
		}
		a, err := q.engine.Range(r.Context(), asked)
		if err != nil {
			return nil, share, nil, err
		}
		s.filters.series(a)
		warnings := slices.Concat(a.Warnings, s.filters.missing(a.By, func(yield func([]string) bool) {
			for i := range a.Series {
				if !yield(a.Series[i].Labels) {
					return
				}
			}
		}))
		out := &rangeJSON{RangeAnswer: a, zone: s.clock.zone, limited: s.order.pages}
		out.next = s.order.series(a)
		var more []string
		out.compared, more, err = q.compareRange(r.Context(), s, asked, out)
		return out, share, append(warnings, more...), err
	})
}

// step reads the distance between the points; by default the window's own.
func (s *selection) step() (time.Duration, error) {
	text, err := s.one("step")
	if s.names("step") {
		text = ""
	}
	switch {
	case err != nil:
		return 0, err
	case s.window.IsDay() && (text == "" || text == "day" || text == "1d"):
		return 0, nil
	case s.window.IsDay():
		return 0, BadData("step %s does not go with window=day: leave it out, there is a point for each day", text)
	case text == "":
		return s.window.Step(), nil
	}
	step, err := parseStep(text)
	if err != nil {
		return 0, err
	}
	if own := s.window.Step(); step < own || step%own != 0 {
		return 0, BadData("step %s is no multiple of %s, the distance between the kept windows of %s: give %[2]s or a multiple",
			text, kpi.FormatLength(own), s.window)
	}
	return step, nil
}

// parseStep reads any length; those in days as windows are written.
func parseStep(text string) (time.Duration, error) {
	if d, err := time.ParseDuration(text); err == nil {
		return d, nil
	}
	w, err := kpi.ParseWindow(text)
	if err != nil || w.Length <= 0 {
		return 0, BadData("step %q is no length of time: give one such as 30s, 5m or 1h", text)
	}
	return w.Length, nil
}

// points checks the order of a range and is its number of points.
func (q *queries) points(r RangeQuery) (int64, error) {
	if r.From.IsZero() {
		return 0, BadData("from is missing: give %s", datedForms)
	}
	if !r.To.IsZero() && !r.From.Before(r.To) {
		return 0, BadData("from %s is not before to %s: exchange them", rfc3339(r.From), rfc3339(r.To))
	}
	// Only what is kept can have points.
	from, to := q.engine.Kept(r.Window)
	if r.From.After(from) {
		from = r.From
	}
	if !r.To.IsZero() && r.To.Before(to) {
		to = r.To
	}
	span := to.Sub(from)
	points := int64(span / r.step())
	if points > maxPoints {
		own := max(r.Window.Step(), time.Second)
		enough := time.Duration(math.Ceil(float64(span)/maxPoints/float64(own))) * own
		return 0, BadData("the range has %d points, more than %d: ask for less, or with step=%s", points, maxPoints, kpi.FormatLength(enough))
	}
	return max(points, 1), nil
}

// step is the distance between the points.
func (r *RangeQuery) step() time.Duration {
	if r.Window.IsDay() {
		return 24 * time.Hour
	}
	return r.Step
}

// ledgerJSON is the shape of GET /api/v1/ledger.
type ledgerJSON struct {
	Total       stream.Ledger            `json:"total"`
	Lanes       map[string]stream.Ledger `json:"lanes"`
	Quarantined map[string]int64         `json:"quarantined"`
	Watermark   Time                     `json:"watermark"`
	Begins      Time                     `json:"begins"`
	Timezone    string                   `json:"timezone"`
	Position    uint64                   `json:"position"`
	Backlog     uint64                   `json:"backlog"`
}

func (q *queries) ledger(r *http.Request) (answer, error) {
	if err := takes(r); err != nil {
		return answer{}, err
	}
	if err := q.engine.Ready(); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	l := q.engine.Ledger()
	lanes := make(map[string]stream.Ledger, len(l.Lanes))
	for name, lane := range l.Lanes {
		lanes[name] = columns(lane)
	}
	return answer{data: ledgerJSON{
		Total: columns(l.Total), Lanes: lanes, Quarantined: l.Total.ReasonWords(),
		Watermark: Time{l.Watermark}, Begins: Time{l.Begins}, Timezone: q.engine.Catalogue().Location.String(), Position: l.Position, Backlog: l.Backlog,
	}}, nil
}

// columns is a ledger without the reasons, which have a place of their own.
func columns(l stream.Ledger) stream.Ledger {
	return stream.Ledger{Verdicts: l.Verdicts}
}

func rfc3339(t time.Time) string { return strings.Trim(string(appendTime(nil, t)), `"`) }
