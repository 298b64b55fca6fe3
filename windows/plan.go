package windows

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// A Plan is a catalogue compiled for execution: which columns a batch needs,
// which filters run over it, which sums and which users are kept by which
// dimension set. Equal filters, columns and sets of several KPIs are one.
type Plan struct {
	Catalogue *kpi.Catalogue
	Schema    stream.Schema

	calendar *kpi.Calendar
	key      stream.HashKey
	filters  []*kpi.Expr // nil passes every event
	words    int         // 64-bit words of a row's mask
	sums     []*sumPlan
	users    []*userPlan
	churn    []churnPlan
	// churnUsers is the users entry whose days the churn measures watch, or -1.
	churnUsers int
	kpis       map[string]*kpiPlan

	none, other uint64 // keys of kpi.None and kpi.Other
}

const (
	// maxUserPlans is how many user plans the mask of an entry has room for.
	maxUserPlans = 32
	// maxReaders is how many KPIs the touches of a sum set have room for.
	maxReaders = 64
)

// A lens is one sliding window length in seconds.
type lens struct {
	window kpi.Window
	length int64
	step   int64
}

func lensOf(w kpi.Window) lens {
	return lens{w, int64(w.Length / time.Second), int64(w.Step() / time.Second)}
}

// tail is the first second of the live window when the slices before head are
// closed: the window that ends at the next step.
func (l lens) tail(head int64) int64 { return ceilTo(head, l.step) - l.length }

// exit is the first head at which the slice has left the live window.
func (l lens) exit(slice int64) int64 { return floorTo(slice, l.step) + l.length + 1 }

// keyed is what sums and users have in common: the dimension set and windows.
type keyed struct {
	name   string
	set    kpi.Set // with the hidden currency last, for money
	fields []int   // text columns of the set
	lenses []lens
	day    bool
	budget int
}

func (k *keyed) addWindows(ws []kpi.Window) {
	for _, w := range ws {
		if w.IsDay() {
			k.day = true
			continue
		}
		if !slices.ContainsFunc(k.lenses, func(l lens) bool { return l.window == w }) {
			k.lenses = append(k.lenses, lensOf(w))
		}
	}
	slices.SortFunc(k.lenses, func(a, b lens) int { return int(a.length - b.length) })
}

func (k *keyed) lens(w kpi.Window) int {
	return slices.IndexFunc(k.lenses, func(l lens) bool { return l.window == w })
}

// A sumPlan is a dimension set with the columns that are added up by it.
type sumPlan struct {
	keyed
	columns []sumColumn
	weights []int // the columns that decide admission to the budget
	top     int   // series kept in history, 0 for all
	kpis    []*kpi.KPI
	other   uint64   // the key of kpi.Other
	touches []uint64 // by column, the bits of the KPIs (in kpis) that read it
}

// A sumColumn adds a number, or one, for every row that passes the filter.
type sumColumn struct {
	key    string
	filter int
	number int // column of the batch, -1 to count
	scale  int64
}

// A userPlan is a dimension set with the distinct users by it.
type userPlan struct {
	keyed
	filter int
	slot   int // place among the keyed (not total) user plans, -1 for a total
	key    string
	kpis   []*kpi.KPI
}

type churnPlan struct {
	key string
	op  kpi.Op
	gap int32
}

// A source is where a measure's number is kept.
type source struct {
	kind   sourceKind
	index  int // of the sums, users or churn entry
	column int // of sums
	scale  int64
}

type sourceKind uint8

const (
	fromSums sourceKind = iota
	fromUsers
	fromChurn
)

// A kpiPlan says for each dimension set of a KPI where its measures are.
type kpiPlan struct {
	kpi  *kpi.KPI
	sets []setSource
}

type setSource struct {
	set      kpi.Set
	num, den source
}

// NewPlan compiles a catalogue. The key hashes the constants of its filters as
// the decoder hashes the events' texts.
func NewPlan(c *kpi.Catalogue, key stream.HashKey) (*Plan, error) {
	p := &Plan{Catalogue: c, key: key, calendar: kpi.NewCalendar(c.Location), kpis: map[string]*kpiPlan{}, churnUsers: -1,
		none: key.Text([]byte(kpi.None)), other: key.Text([]byte(kpi.Other))}
	for _, k := range c.KPIs {
		if err := p.add(k); err != nil {
			return nil, fmt.Errorf("plan %s: %w", k.Name, err)
		}
	}
	if len(p.users) > maxUserPlans {
		return nil, fmt.Errorf("plan: distinct users are kept under %d combinations of filter and dimension set, at most %d can be: drop some", len(p.users), maxUserPlans)
	}
	p.words = (len(p.filters) + 63) / 64
	for _, s := range p.sums {
		s.weights = s.weighing()
		s.touches = make([]uint64, len(s.columns))
		s.other = s.otherKey(p)
	}
	for _, kp := range p.kpis {
		for _, ss := range kp.sets {
			p.touch(kp.kpi, ss.num)
			if kp.kpi.Ratio() {
				p.touch(kp.kpi, ss.den)
			}
		}
	}
	return p, nil
}

// Hash identifies what the plan computes: states of equal hashes can be
// exchanged.
func (p *Plan) Hash(t stream.Timing) string {
	h := fnv.New64a()
	fmt.Fprintln(h, pageFormat)
	for _, k := range p.Catalogue.KPIs {
		fmt.Fprintln(h, k.ID, k.Name)
	}
	// Pages name sets, columns and labels by their places.
	for _, s := range p.sums {
		fmt.Fprintln(h, s.keyed, s.columns, s.top)
	}
	for _, u := range p.users {
		fmt.Fprintln(h, u.keyed, u.key, u.slot)
	}
	fmt.Fprintln(h, p.churn, p.churnUsers)
	fmt.Fprintln(h, p.Catalogue.Location, t)
	return strconv.FormatUint(h.Sum64(), 16)
}

// touch notes that the KPI reads the source, so that a late event restates it.
func (p *Plan) touch(k *kpi.KPI, s source) {
	if s.kind == fromSums {
		sp := p.sums[s.index]
		sp.touches[s.column] |= 1 << sp.kpiIndex(k)
	}
}

// weighing are the columns that count; without any, the first sum.
func (s *sumPlan) weighing() (out []int) {
	for j, c := range s.columns {
		if c.number < 0 {
			out = append(out, j)
		}
	}
	if out == nil {
		out = []int{0}
	}
	return out
}

// kpiIndex is the place of the KPI among the readers of the set.
func (s *sumPlan) kpiIndex(k *kpi.KPI) int {
	i := slices.Index(s.kpis, k)
	if i < 0 {
		s.kpis = append(s.kpis, k)
		i = len(s.kpis) - 1
	}
	return i
}

func (p *Plan) add(k *kpi.KPI) error {
	kp := &kpiPlan{kpi: k}
	for _, by := range k.By {
		ss := setSource{set: by}
		var err error
		if ss.num, err = p.source(k, &k.Numerator, by); err != nil {
			return err
		}
		if k.Ratio() {
			if ss.den, err = p.source(k, k.Denominator, by); err != nil {
				return err
			}
		}
		kp.sets = append(kp.sets, ss)
	}
	p.kpis[k.Name] = kp
	return nil
}

func (p *Plan) source(k *kpi.KPI, m *kpi.Measure, by kpi.Set) (source, error) {
	switch m.Op {
	case kpi.Count, kpi.Sum:
		return p.sumSource(k, m, by), nil
	case kpi.Distinct:
		return source{kind: fromUsers, index: p.userSet(k, m.Where, by, m.Key()), scale: 1}, nil
	default:
		return p.churnSource(k, m)
	}
}

func (p *Plan) sumSource(k *kpi.KPI, m *kpi.Measure, by kpi.Set) source {
	set := slices.Clone(by)
	if m.Money && !slices.Contains(set, "currency") {
		set = append(set, "currency")
	}
	// A list of many keys has its windows and budget to itself.
	name := set.Key()
	if k.Top > 0 {
		name = "top:" + k.Name + ":" + name
	}
	same := func(s *sumPlan) bool { return s.name == name }
	i := slices.IndexFunc(p.sums, same)
	for n := 2; i >= 0 && len(p.sums[i].kpis) == maxReaders && !slices.Contains(p.sums[i].kpis, k); n++ {
		name = fmt.Sprintf("%s#%d", set.Key(), n)
		i = slices.IndexFunc(p.sums, same)
	}
	if i < 0 {
		i = len(p.sums)
		p.sums = append(p.sums, &sumPlan{keyed: p.keyed(name, set)})
	}
	s := p.sums[i]
	s.addWindows(k.Windows)
	s.budget = max(s.budget, k.Budget)
	s.top = max(s.top, k.Top)
	c := sumColumn{key: m.Key(), filter: p.filter(m.Where), number: -1, scale: 1}
	if m.Op == kpi.Sum {
		c.number = column(&p.Schema.Number, m.Field)
		if !kpi.Integer(m.Field) {
			c.scale = kpi.Scale
		}
	}
	j := slices.IndexFunc(s.columns, func(o sumColumn) bool { return o.key == c.key })
	if j < 0 {
		j = len(s.columns)
		s.columns = append(s.columns, c)
	}
	s.kpiIndex(k)
	return source{kind: fromSums, index: i, column: j, scale: c.scale}
}

func (p *Plan) userSet(k *kpi.KPI, where *kpi.Expr, by kpi.Set, key string) int {
	f := p.filter(where)
	i := slices.IndexFunc(p.users, func(u *userPlan) bool { return u.filter == f && slices.Equal(u.set, by) })
	if i < 0 {
		i = len(p.users)
		u := &userPlan{keyed: p.keyed(by.Key(), slices.Clone(by)), filter: f, slot: -1, key: key}
		if len(by) > 0 {
			u.slot = p.slots()
		}
		p.users = append(p.users, u)
	}
	u := p.users[i]
	u.addWindows(k.Windows)
	u.budget = max(u.budget, k.Budget)
	if !slices.Contains(u.kpis, k) {
		u.kpis = append(u.kpis, k)
	}
	return i
}

// slots is the number of keyed user plans.
func (p *Plan) slots() int {
	n := 0
	for _, u := range p.users {
		if u.slot >= 0 {
			n++
		}
	}
	return n
}

func (p *Plan) churnSource(k *kpi.KPI, m *kpi.Measure) (source, error) {
	u := p.userSet(k, m.Where, nil, (&kpi.Measure{Op: kpi.Distinct, Where: m.Where}).Key())
	if p.churnUsers >= 0 && p.churnUsers != u {
		return source{}, fmt.Errorf("the filter differs from that of another at_risk or churned KPI: all of them share one notion of an active day")
	}
	p.churnUsers = u
	i := slices.IndexFunc(p.churn, func(c churnPlan) bool { return c.op == m.Op && c.gap == int32(m.ChurnGap) })
	if i < 0 {
		i = len(p.churn)
		p.churn = append(p.churn, churnPlan{key: m.Key(), op: m.Op, gap: int32(m.ChurnGap)})
	}
	return source{kind: fromChurn, index: i, scale: 1}, nil
}

func (p *Plan) keyed(name string, set kpi.Set) keyed {
	k := keyed{name: name, set: set}
	for _, f := range set {
		k.fields = append(k.fields, column(&p.Schema.Text, f))
	}
	return k
}

// filter is the number of the filter, a new one if no equal one is there, with
// its columns in the schema.
func (p *Plan) filter(e *kpi.Expr) int {
	i := slices.IndexFunc(p.filters, func(o *kpi.Expr) bool { return exprKey(o) == exprKey(e) })
	if i >= 0 {
		return i
	}
	p.filters = append(p.filters, e)
	if e != nil {
		text, number := e.Fields()
		for _, f := range text {
			column(&p.Schema.Text, f)
		}
		for _, f := range number {
			column(&p.Schema.Number, f)
		}
	}
	return len(p.filters) - 1
}

func exprKey(e *kpi.Expr) string {
	if e == nil {
		return ""
	}
	return e.String()
}

func column(names *[]string, name string) int {
	i := slices.Index(*names, name)
	if i < 0 {
		*names = append(*names, name)
		i = len(*names) - 1
	}
	return i
}

// key64 is the key of a row's labels in a dimension set: the hash of the one
// field, or a mix of several.
func (k *keyed) key64(p *Plan, b *stream.Batch, row int) uint64 {
	switch len(k.fields) {
	case 0:
		return 0
	case 1:
		if h := b.Text[k.fields[0]].Hash[row]; h != 0 {
			return h
		}
		return p.none
	}
	var h uint64
	for _, f := range k.fields {
		t := b.Text[f].Hash[row]
		if t == 0 {
			t = p.none
		}
		h = mix(h, t)
	}
	return h
}

// otherKey is the key of the labels that are all kpi.Other.
func (k *keyed) otherKey(p *Plan) uint64 {
	if len(k.fields) <= 1 {
		return p.other
	}
	var h uint64
	for range k.fields {
		h = mix(h, p.other)
	}
	return h
}

// labels are the texts of a row in the dimension set.
func (k *keyed) labels(b *stream.Batch, row int) []string {
	out := make([]string, len(k.fields))
	for i, f := range k.fields {
		c := &b.Text[f]
		if c.Hash[row] == 0 {
			out[i] = kpi.None
			continue
		}
		s := c.Span[row]
		out[i] = string(b.Payload[s.Off : s.Off+s.Len])
	}
	return out
}

func (k *keyed) otherLabels() []string {
	out := make([]string, len(k.set))
	for i := range out {
		out[i] = kpi.Other
	}
	return out
}

// mix folds a hash into another so that order counts.
func mix(h, t uint64) uint64 {
	h = (h ^ t) * 0x9E3779B97F4A7C15
	return (h ^ h>>32) * 0xD6E8FEB86659FD93
}

func floorTo(t, step int64) int64 {
	m := t % step
	if m < 0 {
		m += step
	}
	return t - m
}

func ceilTo(t, step int64) int64 { return -floorTo(-t, step) }
